"""The contract of a store, as tests: whatever passes them keeps every promise of the `Store` protocol.

Subclass `StoreContract` in a test module and give it a fixture named `factory`: a function without arguments whose every
call makes another handle on the same data, not opened yet; the contract opens and closes them. The data is new for each
test.
"""

from turnlog.testing.contract.appending import Appending
from turnlog.testing.contract.bounded import Bounded
from turnlog.testing.contract.decayed import Decayed
from turnlog.testing.contract.erasing import Deleting, Redacting
from turnlog.testing.contract.forking import Forking
from turnlog.testing.contract.headers import Creating, Listing, Updating
from turnlog.testing.contract.histories import Histories
from turnlog.testing.contract.races import Races
from turnlog.testing.contract.reading import Reading
from turnlog.testing.contract.recent import Ending
from turnlog.testing.contract.snapshots import Snapshots
from turnlog.testing.contract.tenants import Tenants


class StoreContract(
    Creating,
    Appending,
    Reading,
    Ending,
    Bounded,
    Updating,
    Listing,
    Forking,
    Redacting,
    Deleting,
    Decayed,
    Snapshots,
    Histories,
    Tenants,
    Races,
):
    """Every test that a store has to pass; none may be skipped or overridden."""
