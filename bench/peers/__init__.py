"""Other systems that keep conversations, each behind the same four calls, in a virtual environment of their own."""
