"""The contract of a store, as tests: whatever passes them keeps every promise of the `Store` protocol.

Subclass `StoreContract` in a test module and give it a fixture named `factory`: a function without arguments whose every
call makes another handle on the same data, not opened yet; the contract opens and closes them. The data is new for each
test.
"""

from turnlog.testing.store_contract.appending import Appending, Totals
from turnlog.testing.store_contract.erasing import Decayed, Deleting, Redacting
from turnlog.testing.store_contract.forking import Forking, Histories
from turnlog.testing.store_contract.headers import Creating, Listing, Tenants, Updating
from turnlog.testing.store_contract.races import Races
from turnlog.testing.store_contract.reading import ReadingInBounds, ReadingPages
from turnlog.testing.store_contract.snapshots import Ending, Snapshots


class StoreContract(
    Creating,
    Appending,
    Totals,
    ReadingPages,
    Ending,
    ReadingInBounds,
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
