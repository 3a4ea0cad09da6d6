// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/explain/operator_energy.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/model/kernel/kernel_work.hpp"

namespace carnot::model {

namespace {

constexpr double kTile = 128;
constexpr std::size_t kClasses = 13;

double pieces(double whole, double piece) { return std::ceil(whole / piece); }
double real(std::uint64_t x) { return static_cast<double>(x); }
double coefficient(std::string_view id) { return CoefficientTable::embedded().at(id).value; }

/// Streams that run inside the kernel before or behind them.
bool fused(KernelKind kind) {
  return kind == KernelKind::Elementwise || kind == KernelKind::DataMovement ||
         kind == KernelKind::Softmax;
}

/// Work of the whole stage over that of one device.
double sharers(const Operator& op, const ExplainSplit& s) {
  const double all = real(s.tensor) * real(s.data);
  // Norms are done again on every device of a tensor-parallel group, updates on every replica.
  if (op.kind == KernelKind::Normalisation) return real(s.data);
  if (op.kind == KernelKind::Optimiser) return real(s.tensor);
  return all;
}

struct Matrix {
  double batch = 1, m = 1, n = 1, k = 1;
};

Matrix matrix_of(const Operator& op, const GemmShape& shape, const ExplainSplit& s) {
  Matrix x{real(shape.batch), real(shape.m), real(shape.n), real(shape.k)};
  const double data = real(s.data), tensor = real(s.tensor);
  const bool weights = op.phase == Phase::Backward && op.name.ends_with(".weight_gradient");
  (weights ? x.k : x.m) /= data;
  x.n /= tensor;
  return x;
}

AttentionSize attention_of(const AttentionShape& a, const ExplainSplit& s) {
  AttentionSize out;
  out.batch = real(a.batch) / real(s.data);
  out.heads = std::max(1.0, real(a.query_heads) / real(s.tensor));
  out.key_heads = std::max(1.0, real(a.key_heads) / real(s.tensor));
  out.key_dimension = real(a.key_dimension);
  out.value_dimension = real(a.value_dimension);
  out.window = real(a.window);
  out.length = real(a.query_length == 1 ? a.key_length : a.query_length);
  return out;
}

}  // namespace

std::vector<std::string> explain_format_names() {
  return {"fp32", "tf32",  "bf16", "fp16",  "fp8",        "fp8_block",
          "int8", "nvfp4", "int4", "mxfp4", "mxfp4_mxfp8"};
}

ExplainFormat explain_format(std::string_view name) {
  static const std::vector<ExplainFormat> formats = {
      {"fp32", "bfloat16", "fp32", DataType::Float32, 4, 4, true},
      {"tf32", "bfloat16", "tf32", DataType::Float32, 4, 4, true},
      {"bf16", "bfloat16", "bf16", DataType::Bfloat16, 2, 2, false},
      {"fp16", "bfloat16", "fp16", DataType::Float16, 2, 2, false},
      {"fp8", "fp8", "fp8", DataType::Float8, 1, 2, false},
      {"fp8_block", "fp8_block", "fp8", DataType::Float8, 1, 2, false},
      {"int8", "fp8", "int8", DataType::Int8, 1, 2, true},
      {"nvfp4", "nvfp4", "fp4", DataType::Float4, 0.5625, 2, false},
      {"int4", "int4_wo", "bf16", DataType::Int4, 0.53125, 2, false},
      {"mxfp4", "w4a16_mxfp4", "bf16", DataType::Float4, 0.53125, 2, false},
      {"mxfp4_mxfp8", "w4a8_mxfp4_mxfp8", "fp8", DataType::Float4, 0.53125, 2, false}};
  for (const ExplainFormat& f : formats)
    if (f.name == name || (name == "bfloat16" && f.name == "bf16") ||
        (name == "float16" && f.name == "fp16") || (name == "float32" && f.name == "fp32"))
      return f;
  const std::vector<std::string> known = explain_format_names();
  std::string all;
  for (const std::string& each : known) all += (all.empty() ? "" : ", ") + each;
  const std::string near = nearest(name.substr(0, 40), known);
  throw InputError("format: `" + std::string(name.substr(0, 40)) + "` is not known" +
                   (near.empty() ? "; allowed: " + all : "; did you mean `" + near + "`?"));
}

double OperatorModel::peak(std::string_view format) const {
  const auto value = [this](std::string_view property) {
    const ChipValue* found = chip_.find(property);
    return found != nullptr ? found->value * 1e12 : 0.0;
  };
  const double sixteen = std::max(value("bf16"), value("fp16"));
  const double single = value("fp32");
  const auto first = [](std::initializer_list<double> rates) {
    for (const double rate : rates)
      if (rate > 0) return rate;
    return 0.0;
  };
  if (format == "fp32") return first({single, value("fp64"), sixteen});
  if (format == "tf32") return first({value("tf32"), single, sixteen});
  if (format == "fp8" || format == "int8")
    return first({format == "int8" ? value("int8") : value("fp8"), value("fp8"), value("int8"),
                  sixteen, single});
  if (format == "fp4") return first({value("fp4"), value("fp8"), sixteen, single});
  return first({sixteen, value("fp8"), value("int8"), single, value("fp64")});
}

OperatorModel::OperatorModel(const Chip& chip, ExplainFormat format, ExplainFormat cache,
                             std::string framework, Power power_limit)
    : chip_(chip),
      format_(std::move(format)),
      cache_(std::move(cache)),
      framework_(std::move(framework)),
      floor_(circuit_floor(chip, format_.circuit)),
      plain_floor_(circuit_floor(chip, format_.circuit == "fp32" ? "fp32" : "bf16")) {
  limit_ = power_limit == Power{} ? chip_.at("tdp").value : power_limit.in(watt);
  if (!(limit_ > 0)) throw InputError("--power-limit: above 0 W");
  bandwidth_ = chip_.at("bandwidth").value * 1e9;
  peak_ = peak(format_.circuit);
  peak16_ = peak("bf16");
  vector_peak_ = peak("fp32");
  if (!(peak_ > 0))
    throw InputError("chip: " + chip_.id + ": a peak rate of some format is needed");
  if (const ChipValue* link = chip_.find("link")) link_ = link->value * 1e9 / 2;
  const auto has = [this](std::string_view property) { return chip_.find(property) != nullptr; };
  if ((has("bf16") || has("fp16")) && has("l2") && has("units") && has("clock") && has("die")) {
    sheet_ = kernel_sheet(chip_);
    const KernelModel& model = KernelModel::embedded();
    const std::string& cached = cache_.kernel == "bfloat16" ? cache_.kernel : "fp8";
    for (std::size_t c = 0; c < kClasses; ++c) {
      const auto kind = static_cast<KernelClass>(c);
      std::string name = format_.kernel;
      if (kind == KernelClass::ContextAttention || kind == KernelClass::GenerationAttention)
        name = "bfloat16/" + cached;
      if (kind == KernelClass::LatentGeneration) name = "bfloat16/" + cached;
      if (kind == KernelClass::EncoderAttention || kind == KernelClass::BatchedGemm ||
          kind == KernelClass::Scan)
        name = "bfloat16";
      if (kind == KernelClass::Quantise) name = "fp8";
      rows_.push_back(model.find(kind, name, framework_, chip_));
    }
    // Products of activations alone keep 16 bits.
    rows_.push_back(model.find(KernelClass::Gemm, "bfloat16", framework_, chip_));
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const auto kind = static_cast<KernelClass>(i == kClasses ? 0 : i);
      constants_.push_back("kernel_model:" + rows_[i].name);
      causes_.push_back("kernel:" + std::string(model::name(kind)));
      stand_ins_.push_back(causes_.back() + ":stand-in");
    }
    if (format_.stand_in) slower_ = std::max(1.0, peak16_ / peak_);
  }
  tile_ = coefficient("circuit.tile");
  const ChipValue* idle = chip_.find("idle");
  idle_ = idle != nullptr ? idle->value * watt
                          : coefficient("roofline.static_share") * chip_.at("tdp").value * watt;
  idle_ = min(idle_, limit_ * watt);
  still_ = limit_ * coefficient("roofline.static_share");
  if (sheet_) {
    KernelWork nothing;
    nothing.bytes = nothing.flops = 1;
    still_ = KernelModel::evaluate(nothing, *sheet_, rows_.front(), limit_).static_watts;
  }
}

void OperatorModel::count(OperatorEnergy& e, const Operator& op, const ExplainSplit& split) const {
  const double by = sharers(op, split);
  e.macs = real(op.counts.macs) / by;
  e.special_ops = real(op.counts.special_ops) / by;
  e.other_ops = (real(op.counts.other_ops) - real(op.counts.special_ops)) / by;
  e.chip_bytes = e.memory_bytes + 2 * e.macs * format_.activation_bytes / tile_;
}

// Bytes that the memory must carry on one device: weights in the format asked for, activations as
// that format has them between operators, where a file keeps them wider.
double OperatorModel::stream_bytes(const Operator& op, const ExplainSplit& split) const {
  const double by = sharers(op, split);
  double moved = real(op.read_bytes) + real(op.written_bytes);
  double weights = op.weight_read_bytes;
  if (op.kind != KernelKind::Optimiser) {
    const double element = bits(op.activation_type) / 8.0, weight = bits(op.weight_type) / 8.0;
    if (is_floating(op.activation_type) && element > format_.activation_bytes)
      moved *= format_.activation_bytes / element;
    if (is_floating(op.weight_type) && weight > 0) weights *= format_.weight_bytes / weight;
  }
  const double cache = real(op.cache_read_bytes) + real(op.cache_written_bytes);
  // Each replica reads its own copy of the weights.
  return (moved + cache) / by + weights / real(split.tensor);
}

OperatorEnergy OperatorModel::kernel(const Operator& op, const ExplainSplit& split) const {
  KernelWork work;
  bool weights = op.weight_type != DataType::Undefined, exact_class = true, all_bytes = false;
  const double widened = format_.stand_in ? format_.weight_bytes / 2 : 1;
  if (const auto* shape = std::get_if<GemmShape>(&op.shape)) {
    const Matrix x = matrix_of(op, *shape, split);
    // A cache that holds all there is to project leaves a product nothing to do.
    if (!(x.batch * x.m * x.n * x.k > 0)) return {};
    if (shape->batch == 1 && op.kind == KernelKind::Gemm) {
      // Weights' gradients are products of activations, in 16 bits.
      weights = weights && !op.name.ends_with(".weight_gradient");
      work = gemm_work(
          x.m, x.n, x.k,
          weights ? format_.kernel == "int4_wo" ? "bfloat16" : format_.kernel : "bfloat16");
      if (weights && format_.kernel == "int4_wo")
        work.bytes -= x.n * x.k * (2 - format_.weight_bytes);
    } else {
      work.kernel = op.kind == KernelKind::Gemm ? KernelClass::BatchedGemm : KernelClass::Gemm;
      work.format = "bfloat16";
      work.flops = 2 * x.batch * x.m * x.n * x.k;
      work.bytes = op.kind == KernelKind::Gemm ? 2 * x.batch * (x.m * x.k + x.k * x.n + x.m * x.n)
                                               : stream_bytes(op, split);
      all_bytes = op.kind != KernelKind::Gemm;
      work.blocks = x.batch * pieces(x.m, kTile) * pieces(x.n, kTile);
      work.chain = x.k;
      exact_class = op.kind == KernelKind::Gemm;
      weights = false;
    }
  } else if (const auto* attention = std::get_if<AttentionShape>(&op.shape)) {
    const AttentionSize size = attention_of(*attention, split);
    const std::string cached = cache_.kernel == "bfloat16" ? "bfloat16" : "fp8";
    if (op.kind == KernelKind::LatentAttention) {
      work.kernel = KernelClass::LatentGeneration;
      work.flops = 2 * real(op.counts.macs) / sharers(op, split);
      work.exponentials = real(attention->pairs) * size.batch * size.heads;
      work.bytes = stream_bytes(op, split);
      all_bytes = true;
      work.blocks = size.batch * pieces(size.length, kTile) * pieces(size.heads, 16);
      work.chain = size.length;
    } else if (attention->query_length == 1) {
      work = generation_attention_work(size, cached);
    } else if (attention->causal) {
      work = context_attention_work(size, "bfloat16", cached);
    } else {
      work = encoder_attention_work(size);
    }
    if (op.phase == Phase::Backward) {
      work.flops *= 2.5;
      work.exponentials *= 1.5;
      work.bytes *= 2;
      exact_class = false;
    }
    weights = false;
  } else if (const auto* experts = std::get_if<ExpertsShape>(&op.shape)) {
    ExpertsSize size;
    const double stage = real(split.tensor) * real(split.data);
    size.tokens = split.expert > 1 ? real(experts->tokens) * real(split.expert) / stage
                                   : real(experts->tokens) / real(split.data);
    size.hidden = real(experts->hidden);
    size.intermediate = real(experts->intermediate);
    size.chosen = real(experts->chosen);
    size.experts = real(experts->experts);
    size.tensor_parallel = split.expert > 1 ? 1 : real(split.tensor);
    size.expert_parallel = real(split.expert);
    size.matrices = real(experts->matrices);
    size.even_routing = false;
    work = experts_work(size, format_.kernel);
    if (op.phase == Phase::Backward) {
      work.flops *= 2;
      work.bytes *= 2;
      exact_class = false;
    }
    weights = true;
  } else if (const auto* scan = std::get_if<ScanShape>(&op.shape)) {
    work.kernel = KernelClass::Scan;
    work.flops = 2 * real(op.counts.macs) / sharers(op, split);
    work.bytes = stream_bytes(op, split);
    all_bytes = true;
    work.blocks = std::max(1.0, real(scan->batch) * real(scan->heads) / sharers(op, split));
    work.chain = real(scan->length);
    exact_class = op.kind == KernelKind::Scan;
    weights = false;
  } else {
    work.kernel = KernelClass::Quantise;
    work.bytes = std::max(1.0, stream_bytes(op, split));
    const double elements = std::max(1.0, work.bytes / (2 * format_.activation_bytes));
    work.blocks = pieces(elements, 4096);
    exact_class = op.kind == KernelKind::Quantise;
    weights = false;
  }
  if (format_.stand_in && work.kernel != KernelClass::Quantise) {
    work.flops *= slower_;
    if (!all_bytes) work.bytes *= widened;
    exact_class = false;
  }
  const auto kind = static_cast<std::size_t>(work.kernel);
  const bool sixteen = work.kernel == KernelClass::Gemm && !weights;
  const std::size_t at = sixteen ? kClasses : kind;
  const KernelModel::Row& row = rows_[at];
  const KernelPoint p = KernelModel::evaluate(work, *sheet_, row, limit_);
  OperatorEnergy e;
  e.seconds = fused(op.kind) ? std::max(p.seconds - p.launch_seconds, 0.0) : p.seconds;
  e.static_watts = p.static_watts;
  e.joules = p.watts * e.seconds;
  e.still = p.static_watts * e.seconds;
  const double dynamic = e.joules - e.still;
  e.arithmetic = dynamic * (p.compute + p.exponential);
  e.memory = dynamic * p.memory;
  e.active = std::max(0.0, dynamic - e.arithmetic - e.memory);
  e.memory_bytes = work.bytes * (1 - p.cached);
  e.constant = constants_[at];
  e.cause = causes_[at];
  e.measured = exact_class && row.card_known && row.class_known;
  double low = row.low, high = row.high;
  if (!exact_class || !row.class_known) {
    // A stand-in: at least as wide as a card and class never measured, lower still where the
    // stream may run inside its neighbour.
    low = std::min(low, -std::log(3.0));
    high = std::max(high, std::log(3.0));
    e.cause = stand_ins_[at];
  }
  e.low_ratio = std::exp(low);
  e.high_ratio = std::exp(high);
  count(e, op, split);
  return e;
}

OperatorEnergy OperatorModel::roofline(const Operator& op, const ExplainSplit& split) const {
  OperatorEnergy e;
  e.memory_bytes = stream_bytes(op, split);
  count(e, op, split);
  const bool weights = op.weight_type != DataType::Undefined;
  const double rate = weights ? peak_ : std::min(peak_, peak16_);
  const double compute = 2 * e.macs / (rate * coefficient("roofline.compute_efficiency")) +
                         (e.other_ops + coefficient("circuit.special_macs") * e.special_ops) /
                             (vector_peak_ * coefficient("roofline.compute_efficiency"));
  const double memory = e.memory_bytes / (bandwidth_ * coefficient("roofline.memory_efficiency"));
  const double launch = fused(op.kind) ? 0 : coefficient("roofline.launch") * 1e-6;
  e.seconds = launch + std::max(compute, memory);
  const double still = coefficient("roofline.static_share");
  const double active = coefficient("roofline.active_share");
  const double room = std::max(0.0, 1 - still - active);
  const double busy = e.seconds > 0 ? std::max(compute, memory) / e.seconds : 0;
  e.static_watts = limit_ * still;
  e.still = e.static_watts * e.seconds;
  e.active = limit_ * active * e.seconds;
  const double dynamic = limit_ * room * busy * e.seconds;
  const double both = compute + memory;
  e.arithmetic = both > 0 ? dynamic * compute / both : 0;
  e.memory = both > 0 ? dynamic * memory / both : 0;
  e.joules = e.still + e.active + e.arithmetic + e.memory;
  e.low_ratio = 0.4;
  e.high_ratio = 2.5;
  e.constant = "roofline";
  e.cause = "roofline";
  e.assumed = true;
  return e;
}

OperatorEnergy OperatorModel::communication(const Operator& op, const ExplainSplit& split) const {
  const auto& shape = std::get<CommunicationShape>(op.shape);
  OperatorEnergy e;
  if (shape.participants <= 1 || !(shape.sent_bytes > 0)) return e;
  constexpr double kNode = 8;  // accelerators behind one board link
  const bool wide =
      shape.parallelism == Parallelism::Data || shape.parallelism == Parallelism::Pipeline;
  e.network =
      link_ <= 0 || (real(split.devices()) > kNode && wide) || real(shape.participants) > kNode;
  const double outside = coefficient("link.network_bandwidth") * 1e9;
  const double rate = e.network ? outside : link_;
  const double steps = shape.collective == Collective::AllReduce ? 2 : 1;
  e.seconds = steps * coefficient("link.latency") * 1e-6 +
              shape.sent_bytes / (rate * coefficient("link.efficiency"));
  e.link_bytes = shape.sent_bytes;
  e.memory_bytes = 2 * shape.sent_bytes;
  const double still = still_;
  e.static_watts = still;
  e.still = still * e.seconds;
  const double dynamic = (limit_ - still) * coefficient("link.active_share") * e.seconds;
  const CircuitFloor& f = plain_floor_;
  const double wires = e.link_bytes * (e.network ? f.network_byte : f.board_link_byte).in(joule);
  e.link = wires;
  e.memory = std::min(dynamic, e.memory_bytes * f.memory_byte.in(joule)*2);
  e.active = std::max(0.0, dynamic - e.memory);
  e.joules = e.still + e.link + e.memory + e.active;
  e.low_ratio = 0.4;
  e.high_ratio = 2.5;
  e.constant = e.network ? "link.network" : "link.board";
  e.cause = "links";
  e.assumed = true;
  return e;
}

// Walks through trees: a comparison waits for the node before it.
OperatorEnergy OperatorModel::walk(const Operator& op, const ExplainSplit& split) const {
  OperatorEnergy e = roofline(op, split);
  const ChipValue* units = chip_.find("units");
  const double lanes = units != nullptr ? units->value : 1;
  const double steps = e.other_ops + e.special_ops;
  e.seconds = std::max(e.seconds, steps * coefficient("roofline.tree_step") * 1e-9 / lanes);
  e.static_watts = limit_ * coefficient("roofline.static_share");
  e.still = e.static_watts * e.seconds;
  const double active = limit_ * (coefficient("roofline.active_share") + 0.3) * e.seconds;
  e.arithmetic = std::min(active, steps * floor_.other.in(joule));
  e.memory = std::min(active - e.arithmetic, e.memory_bytes * floor_.chip_byte.in(joule));
  e.active = active - e.arithmetic - e.memory;
  e.joules = e.still + active;
  // Nodes in use stay in caches; the memory sees the first read alone.
  e.chip_bytes = e.memory_bytes;
  e.memory_bytes = 0;
  e.low_ratio = 0.2;
  e.high_ratio = 5;
  e.constant = "roofline.tree_step";
  e.cause = "trees";
  return e;
}

OperatorEnergy OperatorModel::energy(const Operator& op, const ExplainSplit& split) const {
  if (op.kind == KernelKind::Communication) return communication(op, split);
  if (op.kind == KernelKind::Unknown) return {};
  if (op.kind == KernelKind::Tree) return walk(op, split);
  return sheet_ ? kernel(op, split) : roofline(op, split);
}

}  // namespace carnot::model
