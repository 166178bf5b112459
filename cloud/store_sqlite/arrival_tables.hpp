// SPDX-License-Identifier: Apache-2.0
// As tables.hpp: what comes from another server, in one transaction.
#pragma once

#include "cloud/store/arrivals.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite::tables {

// With `is_trial` everything is as it was before, and the answer as if not.
Result<store::Arrived> take(Database& database, const store::Arrivals& arrivals, bool is_trial);

}  // namespace sotto::cloud::store_sqlite::tables
