// SPDX-License-Identifier: Apache-2.0
// What the API answers (docs/formats/api.md). Every figure brings its own words: nothing here
// rounds or converts a number that is shown.

export interface Figure {
  value: number | null;
  low: number | null;
  high: number | null;
  origin: string;
  boundary: string;
  sources: string[];
  text: string;
  range: string;
}

export interface LiveSample {
  at: string;
  length_s: number;
  counted_text: string;
  power_w: Figure;
  energy_j: Figure;
  carbon_g: Figure | null;
  busy_share: number;
  busy_text: string;
  domains: { domain: string; label: string; kind: string; role: string; reason: string; power_w: Figure }[];
  unknown: { domain: string; unknown_s: number }[];
  who: { name: string; share: number; share_text: string; power_w: Figure; energy_text: string }[];
}

export interface Sensors {
  origin: string;
  boundary: string;
  domains: { domain: string; label: string; source: string; kind: string; role: string; of: string;
    reason: string; origin: string; boundary: string; state: string }[];
  notes: { what: string; why: string; remedy: string }[];
}

export interface Quality {
  metric: string;
  value: number | null;
  low: number | null;
  high: number | null;
  less_is_better: boolean;
  certified: boolean;
  text: string;
  range: string;
}

export interface RunRow {
  id: string;
  name: string;
  kind: "measure" | "run" | "unreadable";
  problem?: string;
  subject?: string;
  started?: string;
  command?: string;
  outcome?: string;
  ok?: boolean;
  duration_s?: number;
  duration_text?: string;
  energy_j?: Figure;
  power_w?: Figure | null;
  carbon_g?: Figure;
  cost_eur?: Figure;
  place?: string;
  quality?: Quality | null;
  pareto?: boolean;
}

export interface RunDetails {
  domains: { label: string; role: string; reason: string; energy_j: Figure }[];
  processes: { name: string; pid: number; cpu_text: string; energy_j: number | null; energy_text: string }[];
  gaps: string[];
  notes: { reason: string; remedy: string }[];
}

export interface RunPage { id: string; rows: RunRow[]; details?: RunDetails }

export interface Series {
  id: string;
  from_s: number[];
  to_s: number[];
  power_w: (number | null)[];
  low_w: (number | null)[];
  high_w: (number | null)[];
  text: string[];
  range: string[];
  parts: { label: string; counted: boolean; power_w: number[] }[];
  energy_text: string;
  bounds: string;
}

export interface Difference {
  quantity: string;
  verdict: string;
  difference: Figure | null;
  why?: string;
  shared_causes?: number;
  share_text?: string;
}

export interface Comparison {
  base: string;
  rows: RunRow[];
  differences: { id: string; differences: Difference[] }[];
}

export interface FileRow { id: string; name: string; modified: string }

export interface Site {
  name: string;
  latitude: number | null;
  longitude: number | null;
  jobs: number;
  arrivals: number;
  it_text: string; own_text: string; grid_text: string; curtailed_text: string; exported_text: string;
  carbon_text: string; cost_text: string; used_text: string;
  own_j: number; grid_j: number; curtailed_j: number;
  series: {
    own_kw: number[]; grid_kw: number[]; curtailed_kw: number[]; exported_kw: number[]; it_kw: number[];
    own_text: string[]; grid_text: string[]; curtailed_text: string[]; it_text: string[];
    capacity_kw: number[]; price_eur_per_mwh: number[]; shadow_eur_per_mwh: number[];
    carbon_g_per_kwh: number[];
  };
}

export interface Plan {
  id: string;
  name: string;
  kind: "plan";
  size: string;
  answer: string[];
  check: string;
  holds: boolean;
  origin: string;
  boundary: string;
  slot_s: number;
  points: number;
  totals: { objective_eur: number; bound_eur: number | null; objective_text: string; bound_text: string;
    left_text: string; left_share_text: string; dropped: number; energy_text: string; own_text: string;
    grid_text: string; carbon_text: string };
  sites: Site[];
  moves: { from: number; to: number; jobs: number; it_j: number; text: string }[];
  rules: { rule: string; left_out: string; objective_eur?: number; objective_text?: string;
    energy_text?: string; grid_text?: string; carbon_text?: string; above_text?: string; dropped?: number }[];
}

export interface Worded { text: string; range: string }

export interface Simulation {
  id: string;
  name: string;
  kind: "simulation";
  jobs_source: string;
  sites_source: string;
  runs: { policy: string; jobs: number; finished: number; late: number; cost_eur: number; carbon_g: number;
    bound: number | null; texts: Record<string, Worded> }[];
}

export interface Node {
  name: string;
  level: string;
  energy_j: number;
  low_j: number;
  high_j: number;
  origin: string;
  text: string;
  range: string;
  share_text: string;
  floor_text: string;
  limit_text: string;
  boundary?: string;
  count_text?: string;
  coefficient_text?: string;
  constant?: string;
  grade?: string;
  children?: Node[];
}

export interface Explanation {
  id: string;
  name: string;
  model: { name: string };
  machine: { chip?: string };
  unit: string;
  complete: boolean;
  energy_j: Figure;
  energy_j_per_unit: Figure;
  phases: { phase: string; time_text: string; energy_j: Figure }[];
  tree: Node;
  constants: { id: string; value?: number; low?: number; high?: number; unit?: string; grade?: string;
    year?: number; source?: string; licence?: string }[];
  notes: string[];
  remarks: string[];
}

export interface SliderRow {
  key: string;
  label: string;
  unit: string;
  low?: number;
  high?: number;
  step?: number;
  value: number | string;
  absolute?: boolean;
  choices?: string[];
}

export interface Base { kind: "plan" | "explain" | "simulate"; id: string; name: string; sliders: SliderRow[] }

export interface Job {
  id: string;
  kind: string;
  command: string;
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  before: number;
  seconds_text: string;
  limit_s: number;
  share: number;
  progress: string;
  error: string | null;
  result: string | null;
}

export interface PlanDifference {
  rows: { what: string; base_text: string; text: string; difference_text: string; change_text: string }[];
  dropped: number;
  dropped_base: number;
  bound: { low: number | null; value: number | null; high: number | null; text: string; range: string;
    verdict: string; origin: string; boundary: string };
}
