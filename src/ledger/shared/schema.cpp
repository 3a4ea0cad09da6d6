// SPDX-License-Identifier: Apache-2.0
#include "ledger/shared/database.hpp"

namespace carnot::ledger::detail {

// `run_id` of the store's tables is a journal's id here. @HOUR@ stands for the hour in which a
// sample was taken.
const char* const kSharedSchema = R"sql(
CREATE TABLE journal (
  journal_id TEXT NOT NULL PRIMARY KEY,
  machine TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('run', 'measurement')),
  started_utc TEXT NOT NULL,
  entries INTEGER NOT NULL CHECK (entries > 0),
  chain INTEGER NOT NULL,
  first_push_utc TEXT NOT NULL,
  last_push_utc TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_machine ON journal (machine);

CREATE TABLE entry (
  journal_id TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 0),
  kind TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  payload BLOB NOT NULL,
  PRIMARY KEY (journal_id, seq)
) STRICT;

CREATE VIEW machine AS
SELECT machine, COUNT(*) AS journals, SUM(entries) AS entries,
  MIN(started_utc) AS first_started_utc, MAX(last_push_utc) AS last_push_utc
FROM journal
GROUP BY machine;

CREATE VIEW hour_energy AS
SELECT machine, run_id, hour_utc,
  TOTAL(step_j) AS energy_j,
  TOTAL(step_j * COALESCE(gain_low, 1.0)) AS low_j,
  TOTAL(step_j * COALESCE(gain_high, 1.0)) AS high_j,
  TOTAL(step_unobserved_s) AS unobserved_s
FROM (
  SELECT j.machine AS machine, r.run_id AS run_id,
    @HOUR@ AS hour_utc,
    r.energy_j - LAG(r.energy_j, 1, 0.0) OVER earlier AS step_j,
    r.unobserved_s - LAG(r.unobserved_s, 1, 0.0) OVER earlier AS step_unobserved_s,
    d.gain_low AS gain_low, d.gain_high AS gain_high
  FROM reading AS r
  JOIN sample AS s ON s.run_id = r.run_id AND s.sample = r.sample
  JOIN domain AS d ON d.run_id = r.run_id AND d.domain = r.domain
  JOIN measurement AS m ON m.run_id = r.run_id
  JOIN journal AS j ON j.journal_id = r.run_id
  WHERE d.role = 'counted'
  WINDOW earlier AS (PARTITION BY r.run_id, r.domain ORDER BY r.sample)
) AS steps
GROUP BY machine, run_id, hour_utc;

CREATE TABLE shared_ledger (version INTEGER NOT NULL) STRICT;
)sql";

}  // namespace carnot::ledger::detail
