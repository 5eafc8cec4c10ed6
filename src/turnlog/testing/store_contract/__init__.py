"""The contract of a store, as tests: whatever passes them keeps every promise of the `Store` protocol.

Subclass `StoreContract` in a test module and give it a fixture named `factory`: a function without arguments whose every
call makes another handle on the same data, not opened yet; the contract opens and closes them. The data is new for each
test.
"""

from turnlog.testing.store_contract.appending import Appending
from turnlog.testing.store_contract.bounded import Bounded
from turnlog.testing.store_contract.decayed import Decayed
from turnlog.testing.store_contract.erasing import Deleting, Redacting
from turnlog.testing.store_contract.forking import Forking
from turnlog.testing.store_contract.headers import Creating, Listing, Updating
from turnlog.testing.store_contract.histories import Histories
from turnlog.testing.store_contract.races import Races
from turnlog.testing.store_contract.reading import Reading
from turnlog.testing.store_contract.recent import Ending
from turnlog.testing.store_contract.snapshots import Snapshots
from turnlog.testing.store_contract.tenants import Tenants


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
