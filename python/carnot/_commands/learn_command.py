# SPDX-License-Identifier: Apache-2.0
"""`carnot learn`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def learn(data: Optional[Value] = None, *, label: Optional[Value] = None,
          labels: Optional[Value] = None, test: Optional[Value] = None,
          test_labels: Optional[Value] = None, task: Optional[Value] = None,
          header: Optional[Value] = None, missing: Optional[Values] = None,
          categories: Optional[Values] = None, drop_unlabelled: bool = False,
          data_dir: Optional[Value] = None, learner: Optional[Value] = None,
          hidden: Optional[Values] = None, epochs: Optional[Values] = None,
          batch: Optional[Value] = None, learning_rate: Optional[Value] = None,
          momentum: Optional[Value] = None, optimiser: Optional[Value] = None,
          weight_decay: Optional[Value] = None, channels: Optional[Values] = None,
          image: Optional[Value] = None, objective: Optional[Value] = None,
          layers: Optional[Value] = None, heads: Optional[Value] = None,
          width: Optional[Value] = None, context: Optional[Value] = None,
          bits: Optional[Values] = None, trees: Optional[Values] = None,
          leaves: Optional[Values] = None, depth: Optional[Values] = None,
          bins: Optional[Values] = None, subsample: Optional[Value] = None,
          hold_out: Optional[Value] = None, threads: Optional[Value] = None,
          seeds: Optional[Value] = None, seed: Optional[Value] = None,
          shuffle_labels: bool = False, budget: Optional[Value] = None,
          target: Optional[Value] = None, chip: Optional[Value] = None,
          energy_table: Optional[Value] = None, html: Optional[Value] = None,
          save: Optional[Value] = None, save_bits: Optional[Value] = None,
          stream: bool = False, checkpoint: Optional[Value] = None,
          progress: Progress = None) -> Document:
    """Train for real, count every operation; say what was learned in bits and joules.

    data: digits (embedded), mnist (fetched), or a CSV, TSV, ARFF, LibSVM or IDX file, gz or
        not; docs/data.md; of a transformer any text
    label: Label column of a table: its name, or its number
    labels: IDX file of the labels
    test: Held-out file (default: a quarter of the rows)
    test_labels: IDX file of the held-out labels
    task: What the labels are (default: by their values)
    header: Whether a table's first row names its columns (default: as its rows say)
    missing: Words or sentinel numbers that stand for a missing cell, such as -999
    categories: Columns that are categories though they hold numbers
    drop_unlabelled: Leave out rows without a label (default: refuse them)
    data_dir: Where relative paths are looked up first
    learner: What is trained (default: mlp)
    hidden: Units of the hidden layer; several are swept
    epochs: Passes over the training rows; several are swept (default: 8, more for small tables)
    batch: Rows of a minibatch (default: 64, fewer for small tables)
    learning_rate: Greatest, of a cosine schedule (default: 0.3, 0.05 for numbers; adam: 0.01,
        0.02); of each tree of gbdt (default: 0.1)
    momentum: Of the gradient steps (default: 0)
    optimiser: sgd or adam (default: sgd; transformer: adam)
    weight_decay: Of adam, decoupled from the gradient (default: 0; transformer: 0.1)
    channels: Of a cnn's convolutions, 3 x 3 each, pixels halved after each (default: 16,32)
    image: Height and width of a cnn's images, such as 28x20 (default: square)
    objective: Of a transformer: causal says what comes next, masked what is hidden
    layers: Of a transformer (default: 2)
    heads: Of a transformer's attention (default: 4)
    width: Of a transformer's vectors, a multiple of 16 and of the heads (default: 128)
    context: Symbols that a transformer sees at once (default: 128)
    bits: Precisions, swept: 4, 8, 16, 32, a name such as d2w4g4, or a schedule such as
        4>8@0.75; of the gradients of gbdt 2 to 8 or 32 (default: 32)
    trees: Rounds of boosting or bootstraps of a forest, at most; several are swept (default:
        fit to the data)
    leaves: Of a tree, at most; several are swept (default: 31; forest: no limit)
    depth: Of a tree, at most; several are swept (default: no limit)
    bins: Steps that trees see of a column, 2 to 255; several are swept (default: 255)
    subsample: Share of the rows a round of boosting learns from (default: 1)
    hold_out: Share of the training rows on which boosting decides when to end; 0: it does all
        rounds (default: 0.1 from 2000 rows on)
    threads: That grow trees; the result is the same (default: one a processor)
    seeds: Runs at each setting (default: 1)
    seed: Of everything random (default: 1)
    shuffle_labels: The null: training labels in random order, so that nothing can be learned
    budget: Energy that no run may exceed, such as '20 mJ'
    target: Stop when this held-out quality is certified; exit 1 if it never is
    chip: The chip of the catalogue whose operations are priced, such as h200-sxm (default:
        asic-45nm)
    energy_table: CSV of joules per operation instead; docs/formats/energy-table.md
    html: Write the report page here
    save: Write the best run's model here, for `carnot predict`; docs/formats/model.md
    save_bits: Of a coefficient or leaf in that file: 2 to 12, 16, or 32 as trained (default:
        32)
    stream: Learn from the table as it streams from disk, in little memory (default: where the
        file is larger than an eighth of the memory)
    checkpoint: Of a stream: keep its state here, and go on from it where it is there
    progress: called with a line now and then; False ends the work.
    """
    return call("learn", ("data",), {"data": data, "label": label, "labels": labels, "test": test,
                "test-labels": test_labels, "task": task, "header": header, "missing": missing,
                "categories": categories, "drop-unlabelled": drop_unlabelled, "data-dir": data_dir,
                "learner": learner, "hidden": hidden, "epochs": epochs, "batch": batch,
                "learning-rate": learning_rate, "momentum": momentum, "optimiser": optimiser,
                "weight-decay": weight_decay, "channels": channels, "image": image,
                "objective": objective, "layers": layers, "heads": heads, "width": width,
                "context": context, "bits": bits, "trees": trees, "leaves": leaves, "depth": depth,
                "bins": bins, "subsample": subsample, "hold-out": hold_out, "threads": threads,
                "seeds": seeds, "seed": seed, "shuffle-labels": shuffle_labels, "budget": budget,
                "target": target, "chip": chip, "energy-table": energy_table, "html": html,
                "save": save, "save-bits": save_bits, "stream": stream, "checkpoint": checkpoint},
                progress)


def learn_figure8(tables: Optional[Values] = None, *, label: Optional[Value] = None,
                  data_dir: Optional[Value] = None, bits: Optional[Values] = None,
                  rows: Optional[Value] = None, noise: Optional[Value] = None,
                  limit: Optional[Value] = None, seeds: Optional[Value] = None,
                  seed: Optional[Value] = None, html: Optional[Value] = None,
                  progress: Progress = None) -> Document:
    """Error against bits for inputs of various entropy, on a grid and with a codebook.

    tables: Further inputs: tables with a number to predict
    label: Their label column: its name, or its number
    data_dir: Where relative paths are looked up first
    bits: Rising widths (default: 2 3 4 5 6 8 14)
    rows: Training rows, as many held out (default: 4000)
    noise: Of the labels, over the signal (default: 0.03)
    limit: Ratio that counts as nothing lost (default: 1.05)
    seeds: Repetitions (default: 5)
    seed: Of everything random (default: 1)
    html: Write the report page here
    progress: called with a line now and then; False ends the work.
    """
    return call("learn figure8", ("tables",), {"tables": tables, "label": label,
                "data-dir": data_dir, "bits": bits, "rows": rows, "noise": noise, "limit": limit,
                "seeds": seeds, "seed": seed, "html": html}, progress)


def learn_prequential(data: Value, *, first: Optional[Value] = None,
                      growth: Optional[Value] = None, members: Optional[Value] = None,
                      shifts: bool = False, verify: bool = False,
                      output: Optional[Value] = None, message: Optional[Value] = None,
                      progress: Progress = None) -> Document:
    """Labels told block by block under learners trained on those told before; flags of `learn`
    hold.

    data: As of `carnot learn`
    first: Rows before the first training (default: 64)
    growth: Of the rows from one training to the next (default: 1.5)
    members: Learners whose mean tells (default: 2)
    shifts: Of pictures: train on each also moved by a pixel, at random
    verify: Also decode, which trains it all again
    output: Write the (first) message here
    message: Code all rows of the file, and write a file from which `carnot decode --inputs` has
        their labels back
    progress: called with a line now and then; False ends the work.
    """
    return call("learn prequential", ("data",), {"data": data, "first": first, "growth": growth,
                "members": members, "shifts": shifts, "verify": verify, "output": output,
                "message": message}, progress)


def learn_two_part(data: Value, *, price: Optional[Value] = None,
                   step: Optional[Value] = None, pool: Optional[Value] = None,
                   output: Optional[Value] = None, message: Optional[Value] = None,
                   progress: Progress = None) -> Document:
    """Labels as a small perceptron and what it leaves to say; the message is written and read
    back.

    data: As of `carnot learn`
    price: Bits that doubling a coefficient counts in training; more makes the model smaller
        (default: 7)
    step: Of the coefficients' grid (default: 0.25)
    pool: Pixels a side that become one (default: 2 for pictures of 16 or more)
    output: Write the (first) message here
    message: Code all rows of the file, and write a file from which `carnot decode --inputs` has
        their labels back
    progress: called with a line now and then; False ends the work.
    """
    return call("learn two-part", ("data",), {"data": data, "price": price, "step": step,
                "pool": pool, "output": output, "message": message}, progress)


def learn_search(data: Value, *, method: Optional[Value] = None,
                 rivals: Optional[Values] = None, iterations: Optional[Value] = None,
                 space: Optional[Value] = None, validation: Optional[Value] = None,
                 eta: Optional[Value] = None, slack: Optional[Value] = None,
                 patience: Optional[Value] = None, journal: Optional[Value] = None,
                 resume: bool = False, save_model: Optional[Value] = None,
                 progress: Progress = None) -> Document:
    """Hyperparameters found for few joules, beside rivals under the same joules; flags of `learn`
    hold, --budget for each method.

    data: As of `carnot learn`
    method: frugal, bayes, random or grid (default: frugal)
    rivals: Other methods, run under the same joules
    iterations: Trials of bayes, random and grid, at most (default: 50)
    space: TOML of the knobs' ranges; docs/formats/search.md
    validation: Share of the training rows that judge trials (default: 0.2)
    eta: Of successive halving (default: 4)
    slack: Share of loss and code that counts as gain (default: 0.01)
    patience: Trials on all rows without gain that end frugal (default: 4; 0: never)
    journal: Book every trial here; docs/formats/journal.md
    resume: Go on with that journal where it is there
    save_model: Write the best model here, for `carnot predict`
    progress: called with a line now and then; False ends the work.
    """
    return call("learn search", ("data",), {"data": data, "method": method, "rivals": rivals,
                "iterations": iterations, "space": space, "validation": validation, "eta": eta,
                "slack": slack, "patience": patience, "journal": journal, "resume": resume,
                "save-model": save_model}, progress)


def learn_structure(data: Value, *, sizes: Optional[Values] = None,
                    price: Optional[Value] = None,
                    joule_price: Optional[Value] = None,
                    patience: Optional[Value] = None, exhaustive: bool = False,
                    progress: Progress = None) -> Document:
    """How much model the labels pay for: the structure function, k*, and an end to larger models
    once they stop paying; flags of `learn` hold.

    data: As of `carnot learn`
    sizes: Rising: hidden units, or leaves of trees
    price: As of two-part (default: 7)
    joule_price: Bits that a joule is worth, for the energy-priced optimum (default: 0)
    patience: Sizes without a shorter code that end the walk (default: 2)
    exhaustive: Train all sizes, to see what the end left out
    progress: called with a line now and then; False ends the work.
    """
    return call("learn structure", ("data",), {"data": data, "sizes": sizes, "price": price,
                "joule-price": joule_price, "patience": patience, "exhaustive": exhaustive},
                progress)


def learn_cycle(data: Value, *, bounds: bool = False, progress: Progress = None) -> Document:
    """The four legs of the learning cycle, their joules and temperatures, for each precision;
    flags of `learn` hold.

    data: As of `carnot learn`
    bounds: Also the bounds of Goldt and Seifert, Still, and Kolchinsky and Wolpert, on systems
        small enough to follow exactly
    progress: called with a line now and then; False ends the work.
    """
    return call("learn cycle", ("data",), {"data": data, "bounds": bounds}, progress)


def learn_tradeoff(data: Value, *, out: Optional[Value] = None,
                   knob: Optional[Value] = None, values: Optional[Values] = None,
                   start: Optional[Value] = None, full_time: Optional[Value] = None,
                   full_power: Optional[Value] = None,
                   euro_per_point: Optional[Value] = None, progress: Progress = None) -> Document:
    """Throughput, energy and quality of every way to do the job, and its modes as files for run,
    plan and simulate; flags of `learn` hold.

    data: As of `carnot learn`
    out: Folder for scenario.toml, problem.json and jobs.csv
    knob: Turn this knob alone and show the energy and quality of each setting
    values: Its settings: numbers; of rows, prune and transfer shares (default: a few)
    start: Of transfer: the saved model to start from
    full_time: Of the best mode on the site (default: 12 h)
    full_power: Its IT power there (default: 1 kW)
    euro_per_point: What a hundredth of quality is worth in the plan (default: 1)
    progress: called with a line now and then; False ends the work.
    """
    return call("learn tradeoff", ("data",), {"data": data, "out": out, "knob": knob,
                "values": values, "start": start, "full-time": full_time, "full-power": full_power,
                "euro-per-point": euro_per_point}, progress)


def learn_budget(data: Value, *, budgets: Optional[Values] = None,
                 progress: Progress = None) -> Document:
    """The best quality that each energy buys; flags of `learn` hold.

    data: As of `carnot learn`
    budgets: Rising energies, such as '1 mJ,10 mJ'
    progress: called with a line now and then; False ends the work.
    """
    return call("learn budget", ("data",), {"data": data, "budgets": budgets}, progress)
