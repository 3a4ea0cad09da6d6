// SPDX-License-Identifier: Apache-2.0
#include "ledger/schema.hpp"

namespace carnot::detail {

// Natural keys, so that loading a journal again gives the same rows. Numbers that an entry may
// leave unknown (NaN) are NULL; the energies of the balance are always known.
const char* const kStoreSchema = R"sql(
CREATE TABLE run (
  run_id TEXT NOT NULL PRIMARY KEY,
  carnot_version TEXT NOT NULL,
  command TEXT NOT NULL,
  scenario_name TEXT NOT NULL,
  scenario_text TEXT NOT NULL,
  seed TEXT NOT NULL,
  started_utc TEXT NOT NULL,
  facts_json TEXT NOT NULL,
  result_json TEXT
) STRICT;

CREATE TABLE lane (
  run_id TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
  lane INTEGER NOT NULL CHECK (lane >= 0),
  policy TEXT NOT NULL,
  outcome TEXT,
  stopped TEXT,
  result_json TEXT,
  PRIMARY KEY (run_id, lane)
) STRICT;
CREATE INDEX lane_by_policy ON lane (policy);

CREATE TABLE slot (
  run_id TEXT NOT NULL,
  lane INTEGER NOT NULL,
  slot INTEGER NOT NULL CHECK (slot >= 0),
  start_ns INTEGER NOT NULL,
  start_utc TEXT NOT NULL,
  length_s REAL NOT NULL,
  total_j REAL NOT NULL,
  exported_j REAL NOT NULL,
  own_used_j REAL NOT NULL,
  charged_j REAL NOT NULL,
  discharged_j REAL NOT NULL,
  grid_j REAL NOT NULL,
  curtailed_j REAL NOT NULL,
  facility_j REAL NOT NULL,
  battery_charge_j REAL,
  battery_loss_j REAL,
  carbon_g REAL,
  cost_eur REAL,
  mode TEXT NOT NULL,
  throttle REAL,
  steps INTEGER NOT NULL CHECK (steps >= 0),
  operations REAL,
  moved_b REAL,
  loss_bits REAL,
  noise_share REAL,
  cap_violation INTEGER NOT NULL CHECK (cap_violation IN (0, 1)),
  PRIMARY KEY (run_id, lane, slot),
  FOREIGN KEY (run_id, lane) REFERENCES lane ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX slot_by_start ON slot (start_ns);

CREATE TABLE evaluation (
  run_id TEXT NOT NULL,
  lane INTEGER NOT NULL,
  evaluation INTEGER NOT NULL CHECK (evaluation >= 0),
  at_ns INTEGER NOT NULL,
  at_utc TEXT NOT NULL,
  steps INTEGER NOT NULL CHECK (steps >= 0),
  metric TEXT NOT NULL,
  value REAL,
  low REAL,
  high REAL,
  certified INTEGER NOT NULL CHECK (certified IN (0, 1)),
  PRIMARY KEY (run_id, lane, evaluation),
  FOREIGN KEY (run_id, lane) REFERENCES lane ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE VIEW lane_totals AS
SELECT run_id, lane, policy, outcome,
  COUNT(slot) AS slots,
  TOTAL(total_j) AS total_j,
  TOTAL(exported_j) AS exported_j,
  TOTAL(own_used_j) AS own_used_j,
  TOTAL(charged_j) AS charged_j,
  TOTAL(discharged_j) AS discharged_j,
  TOTAL(grid_j) AS grid_j,
  TOTAL(curtailed_j) AS curtailed_j,
  TOTAL(facility_j) AS facility_j,
  TOTAL(battery_loss_j) AS battery_loss_j,
  TOTAL(carbon_g) AS carbon_g,
  TOTAL(cost_eur) AS cost_eur,
  COALESCE((MAX(start_ns + CAST(round(length_s * 1e9) AS INTEGER)) - MIN(start_ns)) * 1e-9, 0.0)
    AS duration_s,
  COALESCE(MAX(steps), 0) AS steps,
  COALESCE(SUM(cap_violation), 0) AS cap_violations,
  TOTAL(operations) AS operations,
  TOTAL(moved_b) AS moved_b,
  COALESCE(MAX(
    max(abs(total_j - (exported_j + own_used_j + charged_j) - curtailed_j),
        abs(facility_j - (own_used_j + discharged_j + grid_j)))
    / max(abs(total_j), abs(exported_j), abs(own_used_j), abs(charged_j), abs(discharged_j),
          abs(grid_j), abs(curtailed_j), abs(facility_j))), 0.0) AS worst_residual
FROM lane LEFT JOIN slot USING (run_id, lane)
GROUP BY run_id, lane;

CREATE VIEW mode_totals AS
SELECT run_id, lane, policy, mode,
  COUNT(*) AS slots,
  TOTAL(length_s) AS duration_s,
  TOTAL(facility_j) AS facility_j,
  TOTAL(own_used_j) AS own_used_j,
  TOTAL(discharged_j) AS discharged_j,
  TOTAL(grid_j) AS grid_j,
  TOTAL(carbon_g) AS carbon_g,
  TOTAL(cost_eur) AS cost_eur,
  TOTAL(operations) AS operations,
  MIN(slot) AS first_slot
FROM lane JOIN slot USING (run_id, lane)
GROUP BY run_id, lane, mode;
)sql";

}  // namespace carnot::detail
