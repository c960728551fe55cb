-- The ledger's schema, in steps; each brings a file from the version before.
-- SPDX-License-Identifier: Apache-2.0
--
-- A line "-- @version N" begins the step to version N. A released step is
-- never changed: add another. Times are microseconds since 1970 UTC, durations
-- microseconds, energy joules, emissions milligrams of CO2e. `id` of attempts
-- and decisions packs the job and a number: job << 20 | number, so that one
-- job's rows stand together without an index beside the table.

-- @version 1
CREATE TABLE submissions (
  job INTEGER PRIMARY KEY,
  submitted INTEGER NOT NULL,
  user TEXT NOT NULL,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  payload BLOB NOT NULL,
  array_index INTEGER,
  array_id INTEGER NOT NULL,
  baseline_site TEXT NOT NULL,
  baseline_accelerator TEXT NOT NULL
) STRICT;

-- Idempotency keys, for good: the first job made under one, and how many.
CREATE TABLE keys (
  key TEXT PRIMARY KEY,
  job INTEGER NOT NULL,
  jobs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Where a job stands: in one of these two, so that a restart reads only what
-- lives, without an index.
CREATE TABLE jobs_live (
  job INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  queue_key INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  wake INTEGER,
  planned_site TEXT NOT NULL,
  planned_accelerator TEXT NOT NULL,
  executed INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  exit_code INTEGER,
  hold_wanted INTEGER NOT NULL,
  cancel_wanted INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE TABLE jobs_ended (
  job INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  queue_key INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  wake INTEGER,
  planned_site TEXT NOT NULL,
  planned_accelerator TEXT NOT NULL,
  executed INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  exit_code INTEGER,
  hold_wanted INTEGER NOT NULL,
  cancel_wanted INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE VIEW job_states AS
  SELECT * FROM jobs_live UNION ALL SELECT * FROM jobs_ended;

CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  job INTEGER GENERATED ALWAYS AS (id >> 20) VIRTUAL,
  epoch INTEGER GENERATED ALWAYS AS (id & 1048575) VIRTUAL,
  site TEXT NOT NULL,
  accelerator TEXT NOT NULL,
  count INTEGER NOT NULL,
  nodes TEXT NOT NULL,
  sent INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  outcome TEXT NOT NULL,
  exit_code INTEGER,
  signal INTEGER,
  message TEXT NOT NULL
) STRICT;

CREATE TABLE decisions (
  id INTEGER PRIMARY KEY,
  job INTEGER GENERATED ALWAYS AS (id >> 20) VIRTUAL,
  at INTEGER NOT NULL,
  policy TEXT NOT NULL,
  payload BLOB NOT NULL
) STRICT;

-- `attempt` is the attempt's id. A restated slice is a new revision.
CREATE TABLE emissions (
  attempt INTEGER NOT NULL,
  start INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  end INTEGER NOT NULL,
  joules INTEGER,
  pue REAL NOT NULL,
  intensity REAL,
  milligrams INTEGER,
  method TEXT NOT NULL,
  intensity_estimated INTEGER NOT NULL,
  data_version TEXT NOT NULL,
  site TEXT NOT NULL,
  region TEXT NOT NULL,
  PRIMARY KEY (attempt, start, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE baselines (
  job INTEGER PRIMARY KEY,
  milligrams INTEGER,
  estimated INTEGER NOT NULL
) STRICT;

CREATE TABLE nodes (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  site TEXT NOT NULL,
  accelerator TEXT NOT NULL,
  count INTEGER NOT NULL,
  drained INTEGER NOT NULL,
  drain_reason TEXT NOT NULL,
  meter TEXT NOT NULL,
  state_id TEXT NOT NULL
) STRICT;

CREATE TABLE grids (
  id INTEGER PRIMARY KEY,
  region TEXT NOT NULL,
  issued INTEGER NOT NULL,
  received INTEGER NOT NULL,
  actual INTEGER NOT NULL,
  source TEXT NOT NULL,
  basis TEXT NOT NULL,
  payload BLOB NOT NULL
) STRICT;
CREATE INDEX grids_by_region
  ON grids (actual, region, source, basis, issued);

CREATE TABLE steps (
  sequence INTEGER PRIMARY KEY,
  now INTEGER NOT NULL,
  events BLOB NOT NULL,
  decisions BLOB NOT NULL
) STRICT;

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- @version 2
-- Restated emissions: the revision that took a row's place; NULL: it stands.
ALTER TABLE emissions ADD COLUMN superseded_by INTEGER;
UPDATE emissions AS old SET superseded_by = (
  SELECT min(newer.revision) FROM emissions AS newer
  WHERE newer.attempt = old.attempt AND newer.start = old.start
    AND newer.revision > old.revision);
-- What waits for actual grid data.
CREATE INDEX emissions_to_restate ON emissions (region, start)
  WHERE superseded_by IS NULL AND (intensity_estimated OR intensity IS NULL);

-- @version 3
-- What was known when: `recorded` and `superseded_at` tell a report as of an
-- earlier time. Of older rows it is not known: they count from their end on.
ALTER TABLE emissions ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE emissions ADD COLUMN superseded_at INTEGER;
ALTER TABLE emissions ADD COLUMN grid_share REAL;
ALTER TABLE emissions ADD COLUMN marginal REAL;
ALTER TABLE emissions ADD COLUMN embodied INTEGER;
UPDATE emissions SET recorded = "end";
UPDATE emissions SET superseded_at = "end" WHERE superseded_by IS NOT NULL;

ALTER TABLE baselines ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;
CREATE TABLE baselines_past (
  job INTEGER NOT NULL,
  recorded INTEGER NOT NULL,
  replaced INTEGER NOT NULL,
  milligrams INTEGER,
  estimated INTEGER NOT NULL,
  PRIMARY KEY (job, recorded, replaced)
) STRICT, WITHOUT ROWID;

-- What a node's meter said, and the part of it that is no job's. `milligrams`
-- is of that part, PUE included.
CREATE TABLE node_energy (
  node INTEGER NOT NULL,
  start INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  end INTEGER NOT NULL,
  metered INTEGER NOT NULL,
  unallocated INTEGER NOT NULL,
  pue REAL NOT NULL,
  intensity REAL,
  milligrams INTEGER,
  method TEXT NOT NULL,
  intensity_estimated INTEGER NOT NULL,
  data_version TEXT NOT NULL,
  grid_share REAL,
  marginal REAL,
  site TEXT NOT NULL,
  region TEXT NOT NULL,
  recorded INTEGER NOT NULL,
  superseded_at INTEGER,
  PRIMARY KEY (node, start, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX node_energy_by_time ON node_energy (start);
CREATE INDEX node_energy_to_restate ON node_energy (region, start)
  WHERE superseded_at IS NULL AND (intensity_estimated OR intensity IS NULL);

-- Carbon-free energy under contract, as the configuration had it; all rows of
-- a version stand together, the newest version counts. `kwh` is a blob of
-- doubles, one a step; without a step it is one value an hour. A row without
-- `kwh` holds a region's residual mix alone.
CREATE TABLE contracts (
  version INTEGER NOT NULL,
  recorded INTEGER NOT NULL,
  region TEXT NOT NULL,
  site TEXT NOT NULL,
  name TEXT NOT NULL,
  start INTEGER NOT NULL,
  end INTEGER NOT NULL,
  step INTEGER NOT NULL,
  kwh BLOB NOT NULL,
  residual REAL
) STRICT;

-- @version 4
-- Attempts of a job lost one after another: its pause before the next grows.
ALTER TABLE jobs_live ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs_ended ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
-- How busy an attempt's accelerators were, over its time.
ALTER TABLE attempts ADD COLUMN use TEXT NOT NULL DEFAULT '';

-- @version 5
-- What an emission row of this attempt and start cost, in millionths of its
-- currency; NULL: unknown, or nothing is charged.
CREATE TABLE costs (
  attempt INTEGER NOT NULL,
  start INTEGER NOT NULL,
  electricity INTEGER,
  currency TEXT NOT NULL,
  accelerators INTEGER,
  accelerator_currency TEXT NOT NULL,
  PRIMARY KEY (attempt, start)
) STRICT, WITHOUT ROWID;

-- Jobs held because their project's carbon budget is used up.
ALTER TABLE jobs_live ADD COLUMN budget_held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs_ended ADD COLUMN budget_held INTEGER NOT NULL DEFAULT 0;
DROP VIEW job_states;
CREATE VIEW job_states AS
  SELECT * FROM jobs_live UNION ALL SELECT * FROM jobs_ended;

-- @version 6
-- What stands in a region's hours, to be restated when its data change: those
-- on estimated (or unknown) intensity, and those on actual values.
UPDATE emissions SET intensity_estimated = 1
  WHERE intensity IS NULL AND superseded_by IS NULL;
UPDATE node_energy SET intensity_estimated = 1
  WHERE intensity IS NULL AND superseded_at IS NULL;
DROP INDEX emissions_to_restate;
CREATE INDEX emissions_standing ON emissions
  (region, intensity_estimated, start) WHERE superseded_by IS NULL;
DROP INDEX node_energy_to_restate;
CREATE INDEX node_energy_standing ON node_energy
  (region, intensity_estimated, start) WHERE superseded_at IS NULL;

-- What a baseline is made of, so that it can be restated, too: the job's energy
-- as if used in its baseline's region over [start, end). Without a region:
-- recorded before this was kept, and never restated.
ALTER TABLE baselines ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE baselines ADD COLUMN start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE baselines ADD COLUMN end INTEGER NOT NULL DEFAULT 0;
ALTER TABLE baselines ADD COLUMN joules INTEGER;
ALTER TABLE baselines ADD COLUMN pue REAL NOT NULL DEFAULT 1;
CREATE INDEX baselines_by_region ON baselines (region, end);

-- @version 7
-- What the job's checkpoints have been seen to cost; 0: not seen.
ALTER TABLE jobs_live ADD COLUMN checkpoint INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs_ended ADD COLUMN checkpoint INTEGER NOT NULL DEFAULT 0;
DROP VIEW job_states;
CREATE VIEW job_states AS
  SELECT * FROM jobs_live UNION ALL SELECT * FROM jobs_ended;

-- @version 8
-- The part of what a region generates that is lost on the way; NULL: unknown.
ALTER TABLE contracts ADD COLUMN loss REAL;

-- @version 9
-- When each part of a gang started; empty: all when the attempt did.
ALTER TABLE attempts ADD COLUMN part_starts TEXT NOT NULL DEFAULT '';

-- @version 10
-- Who did what: the audit trail. `job` is NULL of what was not done with one.
CREATE TABLE acts (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  caller TEXT NOT NULL,
  act TEXT NOT NULL,
  job INTEGER,
  target TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX acts_by_job ON acts (job) WHERE job IS NOT NULL;

-- @version 11
CREATE INDEX acts_by_at ON acts (at);

-- @version 12
-- Whether an attempt's end counts against its job, which is given up after some.
ALTER TABLE attempts ADD COLUMN blamed INTEGER NOT NULL DEFAULT 0;
