// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a model asks of a machine: a list of operators with shapes, exact counts and bytes. Readers
/// (ONNX, transformer configurations, tree ensembles) fill it; models of time and energy read it.
///
/// Every figure of an Operator is for ONE execution of it; the workload runs it `repeats` times.
/// Three counts are kept apart, as integers:
///
///     macs       multiply-accumulates of linear maps: products, convolutions, attention, cells
///     flops      = 2 macs, the multiply and the add of each. Never anything else.
///     other_ops  all other scalar operations: bias adds, activations, norms, softmax, compares
///
/// An exponential, tanh, square root or division is one of `other_ops` and one of `special_ops`.
/// An operator of which nothing is known has kind Unknown and is listed in Workload::unknown; it is
/// never silently zero.
///
/// Bytes, exact for the types named, without padding:
///
///     weight_bytes        stored weights of one copy
///     weight_read_bytes   of those, read by one execution: all of a product's, the rows looked up
///                         of an embedding's, the expected share of the experts'. An expectation,
///                         so a double
///     read, written       activations
///     cache_read, cache_written   state kept from step to step: key-value cache, recurrent state
///
/// Values; nothing here is shared between threads.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace carnot::model {

/// Element types by width and kind; integers signed or not. Scales of block formats are no part of
/// an element: `weight_bytes` includes them where the source says so.
enum class DataType : std::uint8_t {
  Undefined,
  Float64,
  Float32,
  Float16,
  Bfloat16,
  Float8,  ///< E4M3, E5M2 or E8M0
  Float6,  ///< E2M3 or E3M2
  Float4,  ///< E2M1 (MXFP4, NVFP4)
  Int64,
  Int32,
  Int16,
  Int8,
  Int4,
  Int2,
  Bool,
  Complex64,
  Complex128,
  String,  ///< no fixed size
};
unsigned bits(DataType type) noexcept;           ///< of one element; 0 if Undefined or String
std::string_view name(DataType type) noexcept;   ///< "float32", "bfloat16", "int4" ...
bool is_floating(DataType type) noexcept;        ///< real or complex floating point
DataType data_type_from(std::string_view name);  ///< \throws InputError with the nearest name
/// Bytes of `elements`, the last byte filled up. \throws InputError beyond 2^64 - 1
std::uint64_t bytes_of(std::uint64_t elements, DataType type);

/// Classes of kernels that machines run in one way: what a model of energy distinguishes.
enum class KernelKind : std::uint8_t {
  Gemm,             ///< matrix product, batched or not (GemmShape)
  Convolution,      ///< as an implicit product (GemmShape)
  Attention,        ///< softmax(Q K^T) V, fused or as exported (AttentionShape)
  LatentAttention,  ///< multi-head latent attention with absorbed projections (AttentionShape)
  Experts,          ///< grouped products of a mixture of experts (ExpertsShape)
  Scan,             ///< state space, linear attention: a recurrence run in chunks (ScanShape)
  Recurrent,        ///< LSTM, GRU, RNN: one step after another (ScanShape)
  Elementwise,
  Normalisation,
  Softmax,
  Reduction,
  Pooling,
  Embedding,      ///< rows looked up
  DataMovement,   ///< transpose, gather, concatenate, pad, cast: bytes, no arithmetic
  Quantise,       ///< to and from narrower formats, with scales
  Selection,      ///< sort, top-k, non-maximum suppression
  Tree,           ///< walks through decision trees
  Communication,  ///< between devices (CommunicationShape)
  Optimiser,      ///< update of weights
  Unknown,
};
std::string_view name(KernelKind kind) noexcept;  ///< "gemm", "latent attention" ...

enum class Phase : std::uint8_t { Forward, Backward, Recompute, Update };
std::string_view name(Phase phase) noexcept;

/// `batch` independent products of m x k by k x n. A convolution: m = output positions of all
/// images, n = output channels of a group, k = input channels of a group x kernel, batch = groups.
/// macs = batch m n k, if every tap counts.
struct GemmShape {
  std::uint64_t batch = 1, m = 0, n = 0, k = 0;
  bool operator==(const GemmShape&) const = default;
};

/// macs = batch x query_heads x pairs x (key_dimension + value_dimension), where `pairs` counts the
/// (query, key) pairs that the mask keeps: q k without one, q k - q (q - 1) / 2 if causal with the
/// last query seeing all k keys, less with a window.
struct AttentionShape {
  std::uint64_t batch = 1;
  std::uint64_t query_heads = 0, key_heads = 0;    ///< key_heads divides query_heads
  std::uint64_t query_length = 0, key_length = 0;  ///< key_length: whole context, before masking
  std::uint64_t key_dimension = 0, value_dimension = 0;
  std::uint64_t pairs = 0;
  std::uint64_t window = 0;  ///< 0: none
  bool causal = false;
  bool operator==(const AttentionShape&) const = default;
};

/// `tokens` rows, each sent to `chosen` of `experts` experts of `matrices` products
/// hidden x intermediate (3 if gated, 2 if not). macs = tokens chosen matrices hidden intermediate.
struct ExpertsShape {
  std::uint64_t tokens = 0, experts = 0, chosen = 0;
  std::uint64_t hidden = 0, intermediate = 0, matrices = 0;
  /// Expected number of experts with at least one token, chosen evenly and independently:
  /// E (1 - (1 - k / E)^tokens).
  double touched = 0;
  bool operator==(const ExpertsShape&) const = default;
};

/// A recurrence of `length` steps that cannot all be done at once, over `batch` sequences of
/// `heads` states of `state_rows` x `state_columns`.
struct ScanShape {
  std::uint64_t batch = 1, length = 0, heads = 0, state_rows = 0, state_columns = 0;
  bool operator==(const ScanShape&) const = default;
};

enum class Collective : std::uint8_t { AllReduce, AllGather, ReduceScatter, AllToAll, SendReceive };
std::string_view name(Collective collective) noexcept;
/// Which way of splitting the work asks for it.
enum class Parallelism : std::uint8_t { Tensor, Pipeline, Data, Expert, Sequence };
std::string_view name(Parallelism parallelism) noexcept;

/// `payload_bytes` is the tensor that the collective acts on, on each of `participants`;
/// `sent_bytes` is what one participant sends with a ring:
///     all-reduce 2 (n - 1) / n, all-gather, reduce-scatter and all-to-all (n - 1) / n, send 1.
struct CommunicationShape {
  Collective collective = Collective::AllReduce;
  Parallelism parallelism = Parallelism::Tensor;
  std::uint64_t participants = 1;
  std::uint64_t payload_bytes = 0;
  double sent_bytes = 0;
  bool operator==(const CommunicationShape&) const = default;
};

/// Elements of the larger side, for kinds that only stream: elementwise, norms, movement.
struct StreamShape {
  std::uint64_t elements = 0;
  bool operator==(const StreamShape&) const = default;
};

using OperatorShape = std::variant<StreamShape, GemmShape, AttentionShape, ExpertsShape, ScanShape,
                                   CommunicationShape>;

struct Counts {
  std::uint64_t macs = 0;
  std::uint64_t flops = 0;  ///< 2 macs
  std::uint64_t other_ops = 0;
  std::uint64_t special_ops = 0;  ///< of other_ops: exp, tanh, erf, log, square root, division ...
  bool operator==(const Counts&) const = default;
};

struct Operator {
  std::string name;  ///< as in the source: node name, "layers.3.attention.query"
  std::string type;  ///< the source's word for it: "Conv", "q_proj"
  KernelKind kind = KernelKind::Unknown;
  Phase phase = Phase::Forward;
  OperatorShape shape;
  DataType weight_type = DataType::Undefined;  ///< Undefined: no weights
  DataType activation_type = DataType::Undefined;
  Counts counts;
  std::uint64_t parameters = 0;  ///< trained values of one copy, shared ones counted at first use
  std::uint64_t weight_bytes = 0;
  double weight_read_bytes = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0;
  std::uint64_t cache_read_bytes = 0, cache_written_bytes = 0;
  std::uint64_t repeats = 1;  ///< executions in the workload: layers, loop steps, tokens
  std::uint64_t copies = 1;   ///< of these, with weights of their own: layers yes, loop steps no
  std::uint64_t layer = 0;    ///< 1-based first layer it stands in; 0: outside of layers
  bool operator==(const Operator&) const = default;
};

/// A type of operator that no rule here knows.
struct UnknownOperator {
  std::string type;         ///< with domain, "com.example::Foo"
  std::string first_name;   ///< of the first such node
  std::string reason;       ///< what was missing: a rule, a shape, a constant
  std::uint64_t count = 0;  ///< nodes, times repeats
  bool operator==(const UnknownOperator&) const = default;
};

struct Workload {
  std::string name;                     ///< of the model
  std::string source;                   ///< file or configuration it was read from
  std::vector<Operator> operators;      ///< in order of execution
  std::uint64_t parameters = 0;         ///< all stored trained values, shared ones once
  std::uint64_t active_parameters = 0;  ///< that one token or sample meets
  std::uint64_t weight_bytes = 0;       ///< of `parameters`
  std::string unit;                     ///< what is produced: "token", "sample", "image"
  std::uint64_t units = 0;              ///< how many of it by running the operators once
  std::uint64_t input_bytes = 0, output_bytes = 0;
  std::uint64_t cache_bytes = 0;       ///< state held at the end: key-value cache, recurrent state
  std::uint64_t activation_bytes = 0;  ///< kept for the backward pass; 0 for inference
  std::vector<UnknownOperator> unknown;
  std::vector<std::string> notes;  ///< defaults taken and other things a reader should know
};

/// Sums over operators, times repeats. Bytes as in Operator.
struct Totals {
  Counts counts;
  double weight_read_bytes = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0;
  std::uint64_t cache_read_bytes = 0, cache_written_bytes = 0;
  double sent_bytes = 0;  ///< of communication, by one participant
  std::uint64_t unknown = 0;
  bool operator==(const Totals&) const = default;
};
/// \throws InputError where a sum exceeds 2^64 - 1: "count a smaller batch and scale"
Totals totals(const Workload& workload);

/// Product and sum of counts that never wrap. \throws InputError naming `what` beyond 2^64 - 1
std::uint64_t checked_product(std::string_view what, std::initializer_list<std::uint64_t> factors);
std::uint64_t checked_sum(std::string_view what, std::initializer_list<std::uint64_t> terms);

}  // namespace carnot::model
