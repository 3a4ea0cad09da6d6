# SPDX-License-Identifier: Apache-2.0
"""Small inputs of every command, written into a folder."""
import random
from pathlib import Path

HERE = Path(__file__).resolve().parent

TRIANGLE = """function mpc = triangle
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
  1 3 0 0 0 0 1 1 0 230 1 1.1 0.9;
  2 2 0 0 0 0 1 1 0 230 1 1.1 0.9;
  3 1 120 0 0 0 1 1 0 230 1 1.1 0.9;
];
mpc.gen = [1 20 0 0 0 1 100 1 500 0; 2 30 0 0 0 1 100 1 500 0];
mpc.gencost = [2 0 0 2 10 0; 2 0 0 2 30 0];
mpc.branch = [
  1 3 0.001 0.1 0 80 0 0 0 0 1 -60 60;
  1 2 0.001 0.1 0 0 0 0 0 0 1 -60 60;
  2 3 0.001 0.1 0 0 0 0 0 0 1 -60 60;
];
"""

CONFIG = """{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 256,
"intermediate_size": 688, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
"vocab_size": 1000, "max_position_embeddings": 2048}
"""


def write_all(folder):
    folder = Path(folder)
    (folder / "grid.m").write_text(TRIANGLE)
    (folder / "config.json").write_text(CONFIG)
    (folder / "tiny.toml").write_text((HERE.parent / "cli" / "tiny.toml").read_text())
    draw = random.Random(3)
    rows = ["width,height,colour,kind"]
    for _ in range(400):
        width, height = draw.gauss(0, 1), draw.gauss(0, 1)
        rows.append(f"{width:.4f},{height:.4f},{draw.choice('rgb')},"
                    f"{'big' if width + height > draw.gauss(0, 0.3) else 'small'}")
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    hours = 24 * 20
    for name, value in (("price_usd_per_mwh", lambda t, z: 50 + 30 * ((t + 7 * z) % 24) / 24),
                        ("carbon_direct_g_per_kwh", lambda t, z: 100 + 200 * z + t % 24),
                        ("temperature_c", lambda t, z: 10 + t % 12),
                        ("windspeed_10m_kmh", lambda t, z: (t * 7 + z) % 60)):
        lines = ["utc,AA,BB"] + [f"2023-01-{1 + t // 24:02d}T{t % 24:02d}:00Z,"
                                 + ",".join(str(value(t, z)) for z in range(2))
                                 for t in range(hours)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    jobs = ["arrival_s,runtime_s,nodes"] + [
        f"{at},{draw.randrange(60, 20000)},{draw.randrange(1, 4)}"
        for at in sorted(draw.randrange(10 * 86400) for _ in range(300))]
    (folder / "jobs.csv").write_text("\n".join(jobs) + "\n")
    (folder / "wind.csv").write_text("utc,wind_mw\n" + "".join(
        f"2024-01-{1 + t // 24:02d}T{t % 24:02d}:00Z,{10 + t % 24}\n" for t in range(240)))
    (folder / "bills").mkdir()
    (folder / "bills" / "servers.csv").write_text(
        "name,cpu,cores,count,power_w,location\nnode,AMD EPYC 7763,64,4,350,DE\n")
