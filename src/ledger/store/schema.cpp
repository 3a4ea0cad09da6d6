// SPDX-License-Identifier: Apache-2.0
#include "ledger/store/schema.hpp"

namespace carnot::ledger::detail {

// Natural keys, so that loading a journal again gives the same rows. Numbers that an entry may
// leave unknown (NaN) are NULL; the energies of the balance are always known. The words are those
// that PostgreSQL has too, but for a few (src/ledger/shared/postgresql.cpp).
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
  COALESCE(CAST(MAX(start_ns + CAST(round(length_s * 1e9) AS INTEGER)) - MIN(start_ns) AS REAL)
    * 1e-9, 0.0)
    AS duration_s,
  COALESCE(MAX(steps), 0) AS steps,
  COALESCE(SUM(cap_violation), 0) AS cap_violations,
  TOTAL(operations) AS operations,
  TOTAL(moved_b) AS moved_b,
  COALESCE(MAX(
    max(abs(total_j - (exported_j + own_used_j + charged_j) - curtailed_j),
        abs(facility_j - (own_used_j + discharged_j + grid_j)))
    / NULLIF(max(abs(total_j), abs(exported_j), abs(own_used_j), abs(charged_j),
                 abs(discharged_j), abs(grid_j), abs(curtailed_j), abs(facility_j)), 0.0)), 0.0)
    AS worst_residual
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

CREATE TABLE measurement (
  run_id TEXT NOT NULL PRIMARY KEY,
  carnot_version TEXT NOT NULL,
  command TEXT NOT NULL,
  job TEXT NOT NULL,
  job_method TEXT NOT NULL,
  static_policy TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  started_utc TEXT NOT NULL,
  facts_json TEXT NOT NULL,
  outcome TEXT,
  exit_code INTEGER
) STRICT;

CREATE TABLE domain (
  run_id TEXT NOT NULL REFERENCES measurement ON DELETE CASCADE,
  domain INTEGER NOT NULL CHECK (domain >= 0),
  id TEXT NOT NULL,
  label TEXT NOT NULL,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  role TEXT NOT NULL,
  of_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  boundary TEXT NOT NULL,
  socket INTEGER,
  device INTEGER,
  unit_j REAL,
  gain_low REAL,
  gain_high REAL,
  update_period_s REAL NOT NULL,
  power_cap_w REAL,
  PRIMARY KEY (run_id, domain)
) STRICT, WITHOUT ROWID;

CREATE TABLE sample (
  run_id TEXT NOT NULL REFERENCES measurement ON DELETE CASCADE,
  sample INTEGER NOT NULL CHECK (sample >= 0),
  at_s REAL NOT NULL,
  awake_s REAL NOT NULL,
  machine_busy_s REAL NOT NULL,
  machine_idle_s REAL NOT NULL,
  machine_steal_s REAL NOT NULL,
  job_cpu_s REAL NOT NULL,
  meter_cpu_s REAL NOT NULL,
  job_disk_read_b INTEGER NOT NULL,
  job_disk_write_b INTEGER NOT NULL,
  job_peak_rss_b INTEGER NOT NULL,
  machine_net_b INTEGER NOT NULL,
  frequency_hz REAL,
  PRIMARY KEY (run_id, sample)
) STRICT, WITHOUT ROWID;

CREATE TABLE reading (
  run_id TEXT NOT NULL,
  sample INTEGER NOT NULL,
  domain INTEGER NOT NULL,
  energy_j REAL,
  unobserved_s REAL NOT NULL,
  job_share REAL,
  status INTEGER NOT NULL,
  PRIMARY KEY (run_id, sample, domain),
  FOREIGN KEY (run_id, sample) REFERENCES sample ON DELETE CASCADE,
  FOREIGN KEY (run_id, domain) REFERENCES domain ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE process (
  run_id TEXT NOT NULL REFERENCES measurement ON DELETE CASCADE,
  look INTEGER NOT NULL CHECK (look >= 0),
  at_s REAL NOT NULL,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  name TEXT NOT NULL,
  cpu_s REAL NOT NULL,
  alive INTEGER NOT NULL CHECK (alive IN (0, 1)),
  PRIMARY KEY (run_id, look)
) STRICT, WITHOUT ROWID;

CREATE TABLE gap (
  run_id TEXT NOT NULL REFERENCES measurement ON DELETE CASCADE,
  gap INTEGER NOT NULL CHECK (gap >= 0),
  from_s REAL NOT NULL,
  to_s REAL NOT NULL,
  domain_id TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (run_id, gap)
) STRICT, WITHOUT ROWID;

CREATE TABLE phase (
  run_id TEXT NOT NULL REFERENCES measurement ON DELETE CASCADE,
  phase INTEGER NOT NULL CHECK (phase >= 0),
  from_s REAL NOT NULL,
  to_s REAL NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (run_id, phase)
) STRICT, WITHOUT ROWID;

CREATE VIEW measurement_totals AS
SELECT run_id, job, outcome, exit_code,
  COUNT(sample) AS samples,
  COALESCE(MAX(at_s), 0.0) AS duration_s,
  COALESCE(MAX(job_cpu_s), 0.0) AS job_cpu_s,
  COALESCE(MAX(meter_cpu_s) - MIN(meter_cpu_s), 0.0) AS meter_cpu_s,
  (SELECT TOTAL(most) FROM (
    SELECT MAX(energy_j) AS most
    FROM reading AS r JOIN domain AS d USING (run_id, domain)
    WHERE r.run_id = measurement.run_id AND d.role = 'counted' GROUP BY domain)
    AS domains)
    AS machine_energy_j
FROM measurement LEFT JOIN sample USING (run_id)
GROUP BY run_id;
)sql";

}  // namespace carnot::ledger::detail
