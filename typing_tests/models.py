"""Every language model is an `LLM`, down to the types of its parameters."""

from turnlog import LLM
from turnlog.llm import OpenAIModel
from turnlog.testing import ScriptedLLM

openai: LLM = OpenAIModel("gpt", url="http://127.0.0.1:1/v1")
scripted: LLM = ScriptedLLM(["hello"])
