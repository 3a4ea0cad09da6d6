// SPDX-License-Identifier: Apache-2.0
// carnot explain MODEL
#include "explain_command.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/text.hpp"
#include "carnot/ledger/journal/journal.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/model/explain/explain.hpp"
#include "carnot/model/explain/serving_phase.hpp"
#include "carnot/report/explain/record.hpp"
#include "carnot/report/explain/report.hpp"

#include "account_options.hpp"
#include "command.hpp"
#include "session.hpp"

namespace carnot::app {

namespace {

template <class Number>
std::map<std::string, Number> pairs_of(const std::vector<std::string>& words, const char* option,
                                       long long least) {
  std::map<std::string, Number> out;
  for (const std::string& word : words) {
    const std::size_t at = word.rfind('=');
    long long value = -1;
    if (at != std::string::npos && at > 0) {
      try {
        value = parse_integer(word.substr(at + 1));
      } catch (const InputError&) {
        value = -1;
      }
    }
    if (value < least)
      throw UsageError(fmt::format("{}: NAME=VALUE with a whole number of {} or more, not `{}`",
                                   option, least, word.substr(0, 60)));
    out[word.substr(0, at)] = static_cast<Number>(value);
  }
  return out;
}

template <class Q>
Q quantity_of(const std::string& text, const char* option) {
  try {
    return parse_as<Q>(text);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", option, error.what()));
  }
}

model::Recompute recompute_of(const std::string& word) {
  if (word == "none") return model::Recompute::None;
  if (word == "selective") return model::Recompute::Selective;
  if (word == "full") return model::Recompute::Full;
  throw UsageError(fmt::format("--recompute: none, selective or full, not `{}`", word));
}

std::uint64_t whole_of(const std::string& text, const char* option) {
  if (text.empty()) return 0;
  try {
    const long long value = parse_integer(text);
    if (value >= 1) return static_cast<std::uint64_t>(value);
  } catch (const InputError&) {
  }
  throw UsageError(
      fmt::format("{}: a whole number from 1 on, not `{}`", option, text.substr(0, 40)));
}

}  // namespace

model::ExplainOptions explain_options(const ExplainCommand& c) {
  model::ExplainOptions o;
  const std::filesystem::path path = c.path;
  const std::string last = path.filename().string();
  const auto folder = [](const std::filesystem::path& p) { return p.filename().string(); };
  if (last == "config.json" || last.empty() || last == ".")
    o.name = folder(path.parent_path());
  else
    o.name =
        path.extension() == ".onnx" || path.extension() == ".json" || path.extension() == ".txt"
            ? path.stem().string()
            : last;
  o.chip = c.chip;
  o.format = c.format;
  o.cache_format = c.cache_format;
  o.framework = c.framework;
  o.recompute = recompute_of(c.recompute);
  if (!c.phase.empty()) o.phase = model::explain_phase(c.phase);
  const auto number = [](std::uint64_t& into, const std::string& text, const char* option) {
    if (const std::uint64_t value = whole_of(text, option); value != 0) into = value;
  };
  number(o.batch, c.batch, "--batch");
  number(o.context, c.context, "--context");
  number(o.tokens, c.tokens, "--tokens");
  number(o.chips, c.chips, "--chips");
  number(o.micro_batches, c.micro_batches, "--micro-batches");
  if (!c.tensor.empty() || !c.pipeline.empty() || !c.data.empty() || !c.expert.empty()) {
    model::ExplainSplit split;
    number(split.tensor, c.tensor, "--tensor");
    number(split.pipeline, c.pipeline, "--pipeline");
    number(split.data, c.data, "--data");
    number(split.expert, c.expert, "--expert");
    o.split = split;
  }
  if (!c.power_limit.empty()) o.power_limit = quantity_of<Power>(c.power_limit, "--power-limit");
  if (!c.host_power.empty()) o.host_power = quantity_of<Power>(c.host_power, "--host-power");
  o.temperature = quantity_of<Temperature>(c.temperature, "--temperature");
  if (!(o.temperature > Temperature{})) throw InputError("--temperature: above 0 K");
  o.pue = c.account.pue;
  if (c.hall.asked()) o.facility = facility_parts(c.hall);
  return o;
}

bool ExplainCommand::life_cycle() const {
  return !train_tokens.empty() || !fine_tunes.empty() || !queries.empty();
}

model::LifeCycleOptions life_cycle_options(const ExplainCommand& c) {
  const auto amount = [](const std::string& text, const char* option, double otherwise) {
    if (text.empty()) return otherwise;
    try {
      if (const double value = parse_number(text); value >= 0) return value;
    } catch (const InputError&) {
    }
    throw UsageError(fmt::format("{}: a number from 0 on, not `{}`", option, text.substr(0, 40)));
  };
  model::LifeCycleOptions o;
  o.answering = explain_options(c);
  o.training = o.answering;
  if (!c.train_chip.empty()) o.training.chip = c.train_chip;
  o.training.batch = 64;
  o.training.context = 2048;
  o.training.chips = std::max<std::uint64_t>(1, whole_of(c.train_chips, "--train-chips"));
  o.training.split.reset();
  if (const auto n = whole_of(c.train_batch, "--train-batch"); n != 0) o.training.batch = n;
  if (const auto n = whole_of(c.train_context, "--train-context"); n != 0) o.training.context = n;
  if (c.train_batch.empty() && o.training.batch % o.training.chips != 0)
    o.training.batch = o.training.chips;
  // Formats below 8 bits are for answering.
  if (model::explain_format(o.training.format).weight_bytes < 1) o.training.format = "bf16";
  o.training_tokens = amount(c.train_tokens, "--train-tokens", 0);
  o.development = amount(c.development, "--development", 0);
  o.tunings = amount(c.fine_tunes, "--fine-tunes", 0);
  o.tuning_tokens = amount(c.fine_tune_tokens, "--fine-tune-tokens", 0);
  o.answers = amount(c.queries, "--queries", 0);
  o.lifetime_years = amount(c.lifetime, "--lifetime", 4);
  if (!c.water.empty()) o.water_l_per_kwh = amount(c.water, "--water", 0);
  o.account = c.account;
  return o;
}

model::ModelSource explain_model(const ExplainCommand& c) {
  model::OnnxOptions onnx;
  onnx.dimensions = pairs_of<std::int64_t>(c.dimensions, "--dim", 1);
  onnx.trips = pairs_of<std::uint64_t>(c.trips, "--trips", 0);
  return model::read_model_source(c.path, onnx);
}

model::ChipCatalogue explain_catalogue(const std::vector<std::string>& files) {
  model::ChipCatalogue catalogue = model::ChipCatalogue::embedded();
  for (const std::string& file : files) catalogue.add(model::ChipCatalogue::read(file));
  return catalogue;
}

namespace {

/// The accelerators' rows of the table that names them.
std::string making_of(const std::string& chip_name) {
  for (const char* known : {"NVIDIA A100", "NVIDIA H100", "NVIDIA H200"})
    if (chip_name.starts_with(known)) return known;
  return "";
}

report::ExplainReport report_of(const ExplainCommand& c, const Common& common,
                                const model::ModelSource& model,
                                const model::ChipCatalogue& catalogue,
                                const model::ExplainOptions& options) {
  report::ExplainReport r;
  r.command = common.command_line;
  r.explanation = model::explain(model, catalogue, options);
  model::AccountOptions account = c.account;
  if (account.machine.empty()) account.machine = making_of(r.explanation.chip_name);
  if (!options.facility.empty()) {
    double pue = 1;
    for (const model::FacilityPart& part : options.facility) pue += part.share;
    account.pue = pue;
  }
  r.account = model::account(
      r.explanation.machine, Instant(),
      Duration::from(r.explanation.time.value() * static_cast<double>(r.explanation.devices)),
      std::nullopt, account);
  return r;
}

/// "key=value,key=value" of --compare.
void set_all(model::ExplainOptions& options, const std::string& text) {
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    const std::string word = text.substr(from, to - from);
    const std::size_t at = word.find('=');
    if (at == std::string::npos || at == 0)
      throw UsageError(fmt::format("--compare: key=value,key=value, not `{}`", text.substr(0, 60)));
    set_option(options, word.substr(0, at), word.substr(at + 1));
    from = to + 1;
  }
}

/// "key=value,value,value" of --what-if; "key=from:to:step" counts.
model::SweepAxis axis_of(const std::string& text) {
  const std::size_t at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    throw UsageError(fmt::format("--what-if: key=value,value or key=from:to:step, not `{}`",
                                 text.substr(0, 60)));
  model::SweepAxis axis{text.substr(0, at), {}};
  const std::string values = text.substr(at + 1);
  const std::size_t first = values.find(':'), second = values.find(':', first + 1);
  if (first != std::string::npos && second != std::string::npos) {
    const auto from = whole_of(values.substr(0, first), "--what-if");
    const auto to = whole_of(values.substr(first + 1, second - first - 1), "--what-if");
    const auto step = whole_of(values.substr(second + 1), "--what-if");
    if (from == 0 || to < from || step == 0 || (to - from) / step >= 10'000'000)
      throw UsageError("--what-if: key=from:to:step with from up to to, at most 10 million values");
    for (std::uint64_t v = from; v <= to; v += step) axis.values.push_back(std::to_string(v));
    return axis;
  }
  std::size_t begin = 0;
  while (begin <= values.size()) {
    const std::size_t end = std::min(values.find(',', begin), values.size());
    axis.values.push_back(values.substr(begin, end - begin));
    begin = end + 1;
  }
  return axis;
}

/// "500,100" rounds and devices; "DE:0.5,US:0.5" places.
model::FederatedOptions federated_options(const ExplainCommand& c) {
  const auto number = [](const std::string& text, const char* option) {
    try {
      return parse_number(text);
    } catch (const InputError& error) {
      throw UsageError(fmt::format("{}: {}", option, error.what()));
    }
  };
  model::FederatedOptions o;
  const std::size_t comma = c.federated.find(',');
  if (comma == std::string::npos) throw UsageError("--federated: ROUNDS,DEVICES, such as 500,100");
  o.rounds = number(c.federated.substr(0, comma), "--federated");
  o.devices = number(c.federated.substr(comma + 1), "--federated");
  o.passes = number(c.federated_passes, "--federated-passes");
  o.wait = number(c.federated_wait, "--federated-wait");
  std::size_t from = 0;
  while (!c.federated_places.empty() && from <= c.federated_places.size()) {
    const std::size_t to = std::min(c.federated_places.find(',', from), c.federated_places.size());
    const std::string word = c.federated_places.substr(from, to - from);
    const std::size_t colon = word.rfind(':');
    if (colon == std::string::npos || colon == 0)
      throw UsageError(fmt::format("--federated-places: PLACE:SHARE,..., not `{}`", word));
    o.places.push_back(
        {word.substr(0, colon), number(word.substr(colon + 1), "--federated-places")});
    from = to + 1;
  }
  return o;
}

model::FederatedTraining federated_of(const ExplainCommand& c, const report::ExplainReport& r,
                                      const model::ChipCatalogue& catalogue) {
  const model::LifeCycle& life = *r.lifecycle;
  const auto stage = std::find_if(life.stages.begin(), life.stages.end(),
                                  [](const auto& s) { return s.name == "training"; });
  if (stage == life.stages.end())
    throw UsageError("--federated: of a training: goes with --train-tokens");
  const double bytes =
      static_cast<double>(r.explanation.parameters) * model::explain_format(c.format).weight_bytes;
  return model::federated_training(catalogue.chip(c.federated_on), life.exact_flops, bytes,
                                   federated_options(c), stage->energy, stage->operational);
}

bool is_journal(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(15, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head == "carnot-journal/";
}

/// A measurement or a run, beside what a model of it gives.
int explain_record_file(const ExplainCommand& c, const Common& common) {
  if (!c.compare.empty() || !c.what_if.empty() || c.life_cycle() || !c.html.empty())
    throw UsageError("--compare, --what-if, --html and a life cycle: of a model, not of a record");
  const ledger::JournalContents contents = ledger::read_journal(c.path);
  if (!contents.message.empty()) say(common, "carnot: " + contents.message);
  report::RecordReport r;
  if (ledger::is_measurement(contents.entries)) {
    const measure::Measurement measured = measure::summarise_measurement(
        contents.entries, merged(measure::recorded_account_options(contents.entries), c.account));
    std::optional<model::Explanation> of;
    double times = 1;
    if (!c.of.empty()) {
      ExplainCommand work = c;
      work.path = c.of;
      model::ExplainOptions options = explain_options(work);
      options.compare_formats = false;
      const model::ModelSource source = explain_model(work);
      if (const auto* config = std::get_if<model::TransformerConfig>(&source))
        options.phase_model = model::serving_phase_model(*config);
      of = model::explain(source, explain_catalogue(c.catalogues), options);
      try {
        times = parse_number(c.times);
      } catch (const InputError& error) {
        throw InputError(fmt::format("--times: {}", error.what()));
      }
    }
    r = report::explain_record(measured, of ? &*of : nullptr, times);
  } else {
    if (!c.of.empty()) throw UsageError("--of: of a measurement; a run counts its own operations");
    r = report::explain_record(report::summarise(contents.entries));
  }
  r.command = common.command_line;
  print(common.json
            ? report::record_json(r)
            : report::record_terminal(r, static_cast<std::size_t>(std::max(60, terminal_width(1))),
                                      is_terminal(1)));
  return contents.corrupt ? kBadInput : kOk;
}

int execute(const ExplainCommand& c, const Common& common) {
  if (is_journal(c.path)) return explain_record_file(c, common);
  if (!c.of.empty()) throw UsageError("--of: of a journal that carnot measure wrote");
  model::ExplainOptions options = explain_options(c);
  if (!c.compare.empty() + !c.what_if.empty() + c.life_cycle() > 1)
    throw UsageError("--compare, --what-if and a life cycle: one of them");
  const model::ChipCatalogue catalogue = explain_catalogue(c.catalogues);
  const model::ModelSource model = explain_model(c);
  if (const auto* config = std::get_if<model::TransformerConfig>(&model))
    options.phase_model = model::serving_phase_model(*config);
  report::ExplainView view;
  view.width = static_cast<std::size_t>(std::max(60, terminal_width(1)));
  view.colour = is_terminal(1);
  view.rows = c.rows != 0 ? c.rows : c.what_if.empty() ? 6 : 20;
  view.depth = c.depth;
  if (!c.compare.empty()) {
    if (!c.html.empty()) throw UsageError("--html: of one explanation, not of --compare");
    std::vector<report::ExplainReport> reports;
    std::vector<std::string> names = c.compare;
    for (const std::string& text : names) {
      model::ExplainOptions o = options;
      set_all(o, text);
      reports.push_back(report_of(c, common, model, catalogue, o));
    }
    print(common.json ? report::explain_compare_json(reports, names, common.command_line)
                      : report::explain_compare_terminal(reports, names, view));
    return kOk;
  }
  if (!c.what_if.empty()) {
    if (!c.html.empty()) throw UsageError("--html: of one explanation, not of --what-if");
    const StopToken stop = stop_on_interrupt();
    report::SweepReport r;
    r.command = common.command_line;
    r.subject = options.name;
    for (const std::string& text : c.what_if) r.axes.push_back(axis_of(text));
    r.points = model::explain_sweep(model, catalogue, options, r.axes,
                                    std::max(1u, std::thread::hardware_concurrency()),
                                    [] { return !interrupted(); });
    r.unit = model::explain_unit(model, options);
    print(common.json ? report::explain_sweep_json(r) : report::explain_sweep_terminal(r, view));
    return interrupted() ? kInterrupted : kOk;
  }
  report::ExplainReport r = report_of(c, common, model, catalogue, options);
  if (c.life_cycle()) r.lifecycle = model::life_cycle(model, catalogue, life_cycle_options(c));
  if (!c.federated.empty()) {
    if (!r.lifecycle) throw UsageError("--federated: of a training: goes with --train-tokens");
    r.federated = federated_of(c, r, catalogue);
  }
  offer_page(c.html, [&] { return report::explain_html(r); });
  print(common.json ? report::explain_json(r) : report::explain_terminal(r, view));
  return kOk;
}

}  // namespace

void add_explain(CLI::App& app, const Common& common, Action& action) {
  auto c = std::make_shared<ExplainCommand>();
  CLI::App* command =
      app.add_subcommand("explain", "Where the joules of a model go, and what would take fewer");
  command
      ->add_option("model", c->path,
                   "ONNX file, config.json of a transformer (or its folder), dump of trees, or a "
                   "journal of carnot measure or carnot run")
      ->required();
  command->add_option("--of", c->of, "Of a measured journal: the model that ran");
  command->add_option("--times", c->times, "How often it ran; default 1");
  command->add_option("--on", c->chip, "Chip of the catalogue; default h200-sxm, trees epyc-9654");
  command->add_option("--chips", c->chips, "How many; default 1");
  command->add_option("--tensor", c->tensor, "Devices that share each layer");
  command->add_option("--pipeline", c->pipeline, "Stages, of layers each");
  command->add_option("--data", c->data, "Replicas that share the batch");
  command->add_option("--expert", c->expert, "Devices that share the experts");
  command->add_option("--micro-batches", c->micro_batches,
                      "In flight in a pipeline; default 4 a stage");
  command->add_option("--phase", c->phase, "train, prefill, decode or infer (default)");
  command->add_option("--batch", c->batch, "Sequences, images, rows at a time; default 1");
  command->add_option("--context", c->context, "Tokens of a prompt or sequence; default 1024");
  command->add_option("--tokens", c->tokens, "Tokens answered of each; default 256");
  command->add_option("--format", c->format,
                      "Weights and products: fp32, tf32, bf16 (default), fp16, fp8, fp8_block, "
                      "int8, nvfp4, int4, mxfp4, mxfp4_mxfp8");
  command->add_option("--cache-format", c->cache_format, "Keys and values: bf16 (default), fp8");
  command->add_option("--framework", c->framework, "Whose kernels: vllm (default), trtllm");
  command->add_option("--recompute", c->recompute, "In training: none, selective (default), full");
  command->add_option("--power-limit", c->power_limit, "Of a chip, such as '500 W'");
  command->add_option("--host-power", c->host_power,
                      "Of processors, memory and fans, a chip's share, such as '120 W'");
  command->add_option("--temperature,-T", c->temperature, "Of the limit; default '300 K'");
  command->add_option("--dim", c->dimensions,
                      "NAME=VALUE of a dimension that an ONNX file leaves open; again for more");
  command->add_option("--trips", c->trips, "NAME=VALUE: how often an ONNX Loop runs");
  command->add_option("--catalogue", c->catalogues, "CSV of chips of your own; again for more");
  command->add_option("--compare", c->compare,
                      "KEY=VALUE,KEY=VALUE: a run beside others; again for each (see --what-if)");
  command->add_option(
      "--what-if", c->what_if,
      "KEY=VALUE,VALUE or KEY=FROM:TO:STEP; again for more keys: every combination. "
      "Keys: on, format, cache_format, framework, batch, context, tokens, chips, "
      "tensor, pipeline, data, expert, power_limit, phase, recompute");
  command->add_option("--html", c->html, "Writes a page");
  command
      ->add_option("--rows", c->rows,
                   "Of the tree under each node, default 6; of a sweep, default 20")
      ->check(CLI::Validator(whole_number, ""));
  command
      ->add_option("--depth", c->depth,
                   "Levels of the tree: 1 phases, 2 operators (default), 3 components, 4 circuits")
      ->check(CLI::Validator(whole_number, ""));
  command->add_option("--train-tokens", c->train_tokens,
                      "Life cycle: tokens of the final training, such as 15.6e12");
  command->add_option("--train-on", c->train_chip, "Chip of the training; default as --on");
  command->add_option("--train-chips", c->train_chips, "How many, each a replica; default 1");
  command->add_option("--train-batch", c->train_batch, "Sequences of a step; default 64");
  command->add_option("--train-context", c->train_context, "Tokens of each; default 2048");
  command->add_option("--development", c->development,
                      "Joules of experiments over those of the final training; default 0");
  command->add_option("--fine-tunes", c->fine_tunes, "How often it is fine-tuned");
  command->add_option("--fine-tune-tokens", c->fine_tune_tokens, "Tokens of each");
  command->add_option("--queries", c->queries, "Sequences answered in its life");
  command->add_option("--lifetime", c->lifetime, "Years that machines serve; default 4");
  command->add_option("--water", c->water, "Litres a kWh on site; default the published range");
  command->add_option("--federated", c->federated,
                      "ROUNDS,DEVICES: the training by devices a round, beside the data centre");
  command->add_option("--federated-on", c->federated_on, "Their chip; default jetson-tx2");
  command->add_option("--federated-passes", c->federated_passes,
                      "Their work over the data centre's; default 1");
  command->add_option("--federated-wait", c->federated_wait,
                      "Time of the slowest device over the mean; default 1");
  command->add_option("--federated-places", c->federated_places,
                      "PLACE:SHARE,...: where they are; default the world's mean");
  add_facility_options(*command, c->hall);
  add_account_options(*command, c->account);
  command->fallthrough();
  command->callback(
      [c, &common, &action] { action = [c, &common] { return execute(*c, common); }; });
}

}  // namespace carnot::app
