// SPDX-License-Identifier: Apache-2.0
#include "learn/kernels/float_products.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>
#include <vector>

#include "learn/kernels/kernel_table.hpp"

#if defined(CARNOT_HAVE_ONEDNN)
#include <dnnl.hpp>
#endif
#if defined(CARNOT_HAVE_OPENMP)
#include <omp.h>
#endif

namespace carnot::learn {

namespace {

#if defined(CARNOT_HAVE_ONEDNN)

/// oneDNN's threads come from OpenMP, whose count belongs to the calling thread: set and put back.
class ThreadCount {
 public:
#if defined(CARNOT_HAVE_OPENMP)
  explicit ThreadCount(int threads) : before_(omp_get_max_threads()) {
    if (before_ != threads) omp_set_num_threads(threads);
    changed_ = before_ != threads;
  }
  ~ThreadCount() {
    if (changed_) omp_set_num_threads(before_);
  }

 private:
  int before_;
  bool changed_ = false;
#else
  explicit ThreadCount(int) {}
#endif
 public:
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;
};

bool processor_has_bf16() noexcept {
#if defined(__x86_64__)
  // Without the instruction oneDNN emulates it, more slowly than binary32.
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

struct Primitive {
  dnnl::memory a, b, c;
  dnnl::matmul multiply;
  std::unordered_map<int, dnnl::memory> arguments;
};

dnnl::memory::desc describe(std::size_t rows, std::size_t columns, bool transposed, std::size_t ld,
                            dnnl::memory::data_type type) {
  const auto r = static_cast<dnnl::memory::dim>(rows);
  const auto c = static_cast<dnnl::memory::dim>(columns);
  const auto stride = static_cast<dnnl::memory::dim>(ld);
  return transposed ? dnnl::memory::desc({r, c}, type, dnnl::memory::dims{1, stride})
                    : dnnl::memory::desc({r, c}, type, dnnl::memory::dims{stride, 1});
}

#endif

}  // namespace

struct FloatProducts::State {
  int threads = 1;
  bool own = false;
  std::vector<float> scratch_a, scratch_b;
#if defined(CARNOT_HAVE_ONEDNN)
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  bool bf16 = processor_has_bf16();
  std::map<std::pair<ProductShape, bool>, Primitive> primitives;

  Primitive& primitive(const ProductShape& s, bool is_bf16) {
    auto& slot = primitives[{s, is_bf16}];
    if (!slot.multiply) {
      using Type = dnnl::memory::data_type;
      const Type in = is_bf16 ? Type::bf16 : Type::f32;
      const auto a = describe(s.m, s.k, s.a_transposed, s.lda, in);
      const auto b = describe(s.k, s.n, s.b_transposed, s.ldb, in);
      const auto c = describe(s.m, s.n, false, s.ldc, Type::f32);
      dnnl::primitive_attr attributes;
      if (s.add) {
        dnnl::post_ops sum;
        sum.append_sum(1.0f);
        attributes.set_post_ops(sum);
      }
      const dnnl::matmul::primitive_desc found(dnnl::matmul::desc(a, b, c), attributes, engine);
      slot.a = dnnl::memory(a, engine, nullptr);
      slot.b = dnnl::memory(b, engine, nullptr);
      slot.c = dnnl::memory(c, engine, nullptr);
      slot.multiply = dnnl::matmul(found);
      slot.arguments = {{DNNL_ARG_SRC, slot.a}, {DNNL_ARG_WEIGHTS, slot.b}, {DNNL_ARG_DST, slot.c}};
    }
    return slot;
  }

  void run(const ProductShape& s, bool is_bf16, const void* a, const void* b, float* c) {
    const ThreadCount count(threads);
    Primitive& p = primitive(s, is_bf16);
    p.a.set_data_handle(const_cast<void*>(a));
    p.b.set_data_handle(const_cast<void*>(b));
    p.c.set_data_handle(c);
    p.multiply.execute(stream, p.arguments);
    stream.wait();
  }
#endif

  /// Own kernels: b is made row-major first.
  void run_own(const ProductShape& s, const float* a, const float* b, float* c) {
    std::size_t ldb = s.ldb;
    if (s.b_transposed) {
      scratch_b.resize(s.k * s.n);
      constexpr std::size_t kTile = 16;  // a cache line of results, from as many streams
      for (std::size_t from = 0; from < s.n; from += kTile) {
        const std::size_t to = std::min(from + kTile, s.n);
        for (std::size_t p = 0; p < s.k; ++p)
          for (std::size_t j = from; j < to; ++j) scratch_b[p * s.n + j] = b[j * s.ldb + p];
      }
      b = scratch_b.data();
      ldb = s.n;
    }
    kernels().float_product(a, s.a_transposed ? 1 : s.lda, s.a_transposed ? s.lda : 1, b, ldb, s.m,
                            s.n, s.k, s.add, c, s.ldc);
  }
};

FloatProducts::FloatProducts(int threads) : state_(std::make_unique<State>()) {
  state_->threads = threads;
}
FloatProducts::~FloatProducts() = default;
void FloatProducts::use_own_kernels() noexcept { state_->own = true; }
FloatProducts::FloatProducts(FloatProducts&&) noexcept = default;
FloatProducts& FloatProducts::operator=(FloatProducts&&) noexcept = default;

void FloatProducts::multiply(const ProductShape& shape, const float* a, const float* b, float* c) {
#if defined(CARNOT_HAVE_ONEDNN)
  if (!state_->own) {
    state_->run(shape, false, a, b, c);
    return;
  }
#endif
  state_->run_own(shape, a, b, c);
}

void FloatProducts::multiply(const ProductShape& shape, const std::uint16_t* a,
                             const std::uint16_t* b, float* c) {
#if defined(CARNOT_HAVE_ONEDNN)
  if (state_->bf16) {
    state_->run(shape, true, a, b, c);
    return;
  }
#endif
  // The rounding to bfloat16 has happened; widening back is exact.
  const auto widen = [](const std::uint16_t* from, std::size_t count, std::vector<float>& to) {
    to.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(from[i]) << 16);
    }
  };
  const std::size_t a_rows = shape.a_transposed ? shape.k : shape.m;
  const std::size_t b_rows = shape.b_transposed ? shape.n : shape.k;
  std::vector<float> wide_a, wide_b;
  widen(a, (a_rows - 1) * shape.lda + (shape.a_transposed ? shape.m : shape.k), wide_a);
  widen(b, (b_rows - 1) * shape.ldb + (shape.b_transposed ? shape.k : shape.n), wide_b);
  multiply(shape, wide_a.data(), wide_b.data(), c);
}

}  // namespace carnot::learn
