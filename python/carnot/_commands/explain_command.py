# SPDX-License-Identifier: Apache-2.0
"""`carnot explain`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def explain(model: Value, *, of: Optional[Value] = None,
            times: Optional[Value] = None, on: Optional[Value] = None,
            chips: Optional[Value] = None, tensor: Optional[Value] = None,
            pipeline: Optional[Value] = None, data: Optional[Value] = None,
            expert: Optional[Value] = None, micro_batches: Optional[Value] = None,
            phase: Optional[Value] = None, batch: Optional[Value] = None,
            context: Optional[Value] = None, tokens: Optional[Value] = None,
            format: Optional[Value] = None, cache_format: Optional[Value] = None,
            framework: Optional[Value] = None, recompute: Optional[Value] = None,
            power_limit: Optional[Value] = None, host_power: Optional[Value] = None,
            temperature: Optional[Value] = None, dim: Optional[Values] = None,
            trips: Optional[Values] = None, catalogue: Optional[Values] = None,
            compare: Optional[Values] = None, what_if: Optional[Values] = None,
            html: Optional[Value] = None, rows: Optional[Value] = None,
            depth: Optional[Value] = None, train_tokens: Optional[Value] = None,
            train_on: Optional[Value] = None, train_chips: Optional[Value] = None,
            train_batch: Optional[Value] = None,
            train_context: Optional[Value] = None,
            development: Optional[Value] = None, fine_tunes: Optional[Value] = None,
            fine_tune_tokens: Optional[Value] = None, queries: Optional[Value] = None,
            lifetime: Optional[Value] = None, water: Optional[Value] = None,
            federated: Optional[Value] = None, federated_on: Optional[Value] = None,
            federated_passes: Optional[Value] = None,
            federated_wait: Optional[Value] = None,
            federated_places: Optional[Value] = None, cooling: Optional[Value] = None,
            climate: Optional[Value] = None, weather: Optional[Value] = None,
            column: Optional[Value] = None, humidity: Optional[Value] = None,
            supply: Optional[Value] = None, liquid: Optional[Value] = None,
            load: Optional[Value] = None, location: Optional[Value] = None,
            pue: Optional[Value] = None, carbon_intensity: Optional[Value] = None,
            carbon_trace: Optional[Value] = None, price: Optional[Value] = None,
            machine: Optional[Value] = None, machine_share: Optional[Value] = None,
            units: Optional[Value] = None, unit: Optional[Value] = None,
            progress: Progress = None) -> Document:
    """Where the joules of a model go, and what would take fewer.

    model: ONNX file, config.json of a transformer (or its folder), dump of trees, or a journal
        of carnot measure or carnot run
    of: Of a measured journal: the model that ran
    times: How often it ran; default 1
    on: Chip of the catalogue; default h200-sxm, trees epyc-9654
    chips: How many; default 1
    tensor: Devices that share each layer
    pipeline: Stages, of layers each
    data: Replicas that share the batch
    expert: Devices that share the experts
    micro_batches: In flight in a pipeline; default 4 a stage
    phase: train, prefill, decode or infer (default)
    batch: Sequences, images, rows at a time; default 1
    context: Tokens of a prompt or sequence; default 1024
    tokens: Tokens answered of each; default 256
    format: Weights and products: fp32, tf32, bf16 (default), fp16, fp8, fp8_block, int8, nvfp4,
        int4, mxfp4, mxfp4_mxfp8
    cache_format: Keys and values: bf16 (default), fp8
    framework: Whose kernels: vllm (default), trtllm
    recompute: In training: none, selective (default), full
    power_limit: Of a chip, such as '500 W'
    host_power: Of processors, memory and fans, a chip's share, such as '120 W'
    temperature: Of the limit; default '300 K'
    dim: NAME=VALUE of a dimension that an ONNX file leaves open; again for more
    trips: NAME=VALUE: how often an ONNX Loop runs
    catalogue: CSV of chips of your own; again for more
    compare: KEY=VALUE,KEY=VALUE: a run beside others; again for each (see --what-if)
    what_if: KEY=VALUE,VALUE or KEY=FROM:TO:STEP; again for more keys: every combination. Keys:
        on, format, cache_format, framework, batch, context, tokens, chips, tensor, pipeline,
        data, expert, power_limit, phase, recompute
    html: Writes a page
    rows: Of the tree under each node, default 6; of a sweep, default 20
    depth: Levels of the tree: 1 phases, 2 operators (default), 3 components, 4 circuits
    train_tokens: Life cycle: tokens of the final training, such as 15.6e12
    train_on: Chip of the training; default as --on
    train_chips: How many, each a replica; default 1
    train_batch: Sequences of a step; default 64
    train_context: Tokens of each; default 2048
    development: Joules of experiments over those of the final training; default 0
    fine_tunes: How often it is fine-tuned
    fine_tune_tokens: Tokens of each
    queries: Sequences answered in its life
    lifetime: Years that machines serve; default 4
    water: Litres a kWh on site; default the published range
    federated: ROUNDS,DEVICES: the training by devices a round, beside the data centre
    federated_on: Their chip; default jetson-tx2
    federated_passes: Their work over the data centre's; default 1
    federated_wait: Time of the slowest device over the mean; default 1
    federated_places: PLACE:SHARE,...: where they are; default the world's mean
    cooling: tower (evaporates water; default), dry, chiller (never free)
    climate: subarctic, temperate (default), mediterranean, desert, tropical
    weather: CSV of outside temperature, in place of a climate
    column: Of the temperature, if there are several
    humidity: Of --weather: a column of relative humidity, or a share; default 0.7
    supply: Air to the servers; default '24 degC'
    liquid: Share of the heat that warm water takes; default 0
    load: Mean IT power over the rated; default 0.7
    location: Country, US state or grid region of the machine, such as DE or US-CA
    pue: Facility energy over machine energy, from 1 on
    carbon_intensity: g CO2e a kWh, in place of the location's
    carbon_trace: CSV of time and g CO2e a kWh, in place of a mean
    price: EUR a kWh, in place of the location's
    machine: What making it emitted: server, workstation, laptop, an accelerator's name
    machine_share: Share of the machine that is yours
    units: Functional units done, for the SCI score
    unit: Name of the functional unit, such as epoch
    progress: called with a line now and then; False ends the work.
    """
    return call("explain", ("model",), {"model": model, "of": of, "times": times, "on": on,
                "chips": chips, "tensor": tensor, "pipeline": pipeline, "data": data,
                "expert": expert, "micro-batches": micro_batches, "phase": phase, "batch": batch,
                "context": context, "tokens": tokens, "format": format,
                "cache-format": cache_format, "framework": framework, "recompute": recompute,
                "power-limit": power_limit, "host-power": host_power, "temperature": temperature,
                "dim": dim, "trips": trips, "catalogue": catalogue, "compare": compare,
                "what-if": what_if, "html": html, "rows": rows, "depth": depth,
                "train-tokens": train_tokens, "train-on": train_on, "train-chips": train_chips,
                "train-batch": train_batch, "train-context": train_context,
                "development": development, "fine-tunes": fine_tunes,
                "fine-tune-tokens": fine_tune_tokens, "queries": queries, "lifetime": lifetime,
                "water": water, "federated": federated, "federated-on": federated_on,
                "federated-passes": federated_passes, "federated-wait": federated_wait,
                "federated-places": federated_places, "cooling": cooling, "climate": climate,
                "weather": weather, "column": column, "humidity": humidity, "supply": supply,
                "liquid": liquid, "load": load, "location": location, "pue": pue,
                "carbon-intensity": carbon_intensity, "carbon-trace": carbon_trace, "price": price,
                "machine": machine, "machine-share": machine_share, "units": units, "unit": unit},
                progress)
