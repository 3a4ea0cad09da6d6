// SPDX-License-Identifier: Apache-2.0
// Now: power by domain with its interval, who spends it, and which sensors can be read.

import { TimeChart, type TimeData } from "../charts/time";
import { Card, Cell, Copy, greatest, Origin, Trouble } from "../figure";
import { useGet, useLive } from "../hooks";
import { live } from "../live";
import type { LiveSample, Sensors } from "../types";

function Who({ sample }: { sample: LiveSample }) {
  const most = greatest(sample.who.map((w) => w.power_w));
  return (
    <section aria-labelledby="who">
      <h2 id="who">Who</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Who spends it">
        <table>
          <thead><tr><th scope="col">process</th><th scope="col" class="n">power now</th>
            <th scope="col" class="n">share</th><th scope="col" class="n">energy so far</th></tr></thead>
          <tbody>{sample.who.map((w) => (
            <tr key={w.name}><th scope="row" class="name"><bdi>{w.name}</bdi></th>
              <td class="n"><Cell figure={w.power_w} most={most} /></td>
              <td class="n" data-figure>{w.share_text}</td><td class="n" data-figure>{w.energy_text}</td></tr>))}</tbody>
        </table>
      </div>
      <p class="note">Dynamic energy is divided by CPU time: modelled, with the machine's relative interval.</p>
    </section>
  );
}

function Domains({ sample }: { sample: LiveSample }) {
  const most = greatest(sample.domains.map((d) => d.power_w));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Power by domain">
      <table>
        <caption><span>Power by domain. Those that are counted sum to the machine.</span></caption>
        <thead><tr><th scope="col">domain</th><th scope="col">role</th><th scope="col" class="n">power now</th>
          <th scope="col">origin</th></tr></thead>
        <tbody>{sample.domains.map((d) => (
          <tr key={d.domain}><th scope="row" class="name"><bdi>{d.label}</bdi></th>
            <td>{d.role}{d.reason && <small>{d.reason}</small>}</td>
            <td class="n"><Cell figure={d.power_w} most={most} /></td>
            <td><Origin origin={d.power_w.origin} boundary={d.power_w.boundary} /></td></tr>))}</tbody>
      </table>
    </div>
  );
}

function SensorTable() {
  const { data, error } = useGet<Sensors>("/api/v1/sensors");
  return (
    <section aria-labelledby="sensors">
      <h2 id="sensors">Can it read my sensors?</h2>
      <Trouble error={error} />
      {data && (
        <>
          <div class="scroll" tabIndex={0} role="region" aria-label="Sensors">
            <table>
              <thead><tr><th scope="col">sensor</th><th scope="col">is it read?</th><th scope="col">role</th>
                <th scope="col">why</th></tr></thead>
              <tbody>{data.domains.map((d) => (
                <tr key={d.domain}><th scope="row" class="name"><bdi>{d.label}</bdi><small>{d.source}</small></th>
                  <td><b class={`state ${d.state === "read" ? "yes" : d.state === "modelled" ? "half" : "no"}`}>{d.state}</b></td>
                  <td>{d.role}{d.of && <small>of {d.of}</small>}</td><td class="w">{d.reason}</td></tr>))}</tbody>
            </table>
          </div>
          <ul class="plain">{data.notes.map((n) => (
            <li key={n.what + n.why}><b>{n.what}</b>: {n.why}
              {n.remedy && <p class="remedy"><code>{n.remedy}</code> <Copy text={n.remedy} label="copy the command" /></p>}
            </li>))}</ul>
        </>
      )}
    </section>
  );
}

export function Now() {
  useLive();
  const sample = live.last;
  const data: TimeData = {
    x: live.at, total: live.power, low: live.low, high: live.high, words: live.words, unknown: live.unknown,
    parts: live.labels.map((label, i) => ({ label, values: live.parts[i] ?? [] })),
  };
  return (
    <>
      <h1>Now</h1>
      {live.status === "cut" && <p class="warning" role="status">The server does not answer. Trying again …</p>}
      {live.note && <p class="note" role="status">{live.note}</p>}
      {!sample ? <p class="note">The first sample comes within a second or two.</p> : (
        <>
          <div class="cards">
            <Card label="power of the machine" figure={sample.power_w} />
            <Card label={`energy, ${sample.counted_text} so far`} figure={sample.energy_j} />
            {sample.carbon_g && <Card label="carbon so far" figure={sample.carbon_g} />}
            <Card label="busy"><b data-figure>{sample.busy_text}</b><small>of all CPUs, measured</small></Card>
          </div>
          <TimeChart data={data} clock label="Power of the machine over time" />
          <Domains sample={sample} />
          <Who sample={sample} />
        </>
      )}
      <SensorTable />
    </>
  );
}
