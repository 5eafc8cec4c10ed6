"""Google ADK: DatabaseSessionService. Filling writes its rows in bulk, through its own schema."""

from collections.abc import Sequence
from uuid import uuid4

from google.adk.events import Event
from google.adk.sessions import DatabaseSessionService, Session
from google.adk.sessions.base_session_service import GetSessionConfig
from google.genai.types import Content, Part
from sqlalchemy import insert

from bench.peers.peer import CONNECTIONS, LAST, TEXT, sqlalchemy_url

_APP = "bench"


def _event() -> Event:
    return Event(author="user", invocation_id="bench", content=Content(role="user", parts=[Part(text=TEXT)]))


class OnPostgres:
    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    async def open(self, url: str) -> None:
        self._service = DatabaseSessionService(sqlalchemy_url(url), pool_size=CONNECTIONS, max_overflow=0, pool_timeout=300)

    async def fill(self, names: Sequence[str], length: int) -> None:
        for name in names:
            session = await self._service.create_session(app_name=_APP, user_id=name, session_id=name)
            kind = self._service._get_schema_classes().StorageEvent
            event = kind.from_event(session, _event())
            row = {column: getattr(event, column) for column in kind.__table__.columns.keys()}  # noqa: SIM118 - no mapping
            async with self._service.database_session_factory() as rows:
                await rows.execute(insert(kind), [{**row, "id": str(uuid4())} for _ in range(length)])
                await rows.commit()
            self._sessions[name] = await self._load(name)

    async def append(self, name: str) -> None:
        await self._service.append_event(self._sessions[name], _event())

    async def last(self, name: str) -> int:
        return len((await self._load(name)).events)

    async def _load(self, name: str) -> Session:
        config = GetSessionConfig(num_recent_events=LAST)
        session = await self._service.get_session(app_name=_APP, user_id=name, session_id=name, config=config)
        assert session is not None
        return session
