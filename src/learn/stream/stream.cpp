// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/stream/stream.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/learn/network/train_in_pieces.hpp"

#include "learn/stream/stream_rows.hpp"

namespace carnot::learn {

namespace {

constexpr std::uint32_t kCheckpoint = 1;  // version

/// Steps over blocks of rows, of which one is resident at a time.
class BlockTrainer {
 public:
  /// \param rows  of a pass
  BlockTrainer(const LearnerOptions& options, std::uint64_t rows, std::size_t block_rows)
      : options_(options) {
    if (options.model != "mlp" && options.model != "linear" && options.model != "logistic" &&
        options.model != "softmax")
      throw InputError(describe({}, "learner", "mlp, linear, logistic or softmax, in a stream"));
    if (options.optimiser != "sgd" || options.momentum != 0.0)
      throw InputError(describe({}, "optimiser", "sgd without momentum, in a stream"));
    options_.batch = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(options.batch, 1, std::max<std::uint64_t>(rows, 1)));
    const auto most = static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max(block_rows, options_.batch), rows));
    block_rows_ = most / options_.batch * options_.batch;
    const double all =
        options.epochs * static_cast<double>(rows) / static_cast<double>(block_rows_);
    if (!(all <= 1e12)) throw InputError(describe({}, "epochs", "a number of passes"));
    blocks_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(all));
    steps_ = block_rows_ / options_.batch;
  }

  std::size_t block_rows() const noexcept { return block_rows_; }
  std::uint64_t blocks() const noexcept { return blocks_; }
  std::uint64_t blocks_done() const noexcept { return done_; }
  std::uint64_t steps_done() const noexcept { return done_ * steps_; }
  bool done() const noexcept { return done_ >= blocks_; }
  const Counters& counters() const noexcept { return counters_; }
  const std::vector<std::vector<float>>& parameters() const noexcept { return parameters_; }

  /// One block: the rows [first, first + block_rows) of these. \throws Stopped, the block undone
  void train(const Dataset& rows, std::size_t first, const StopToken& stop) {
    Dataset block = rows;
    block.rows = 0;
    block.features.clear();
    block.labels.clear();
    block.targets.clear();
    append_rows(block, rows, first, first + block_rows_);
    if (!block.is_regression() && block.classes > 1 &&
        std::all_of(block.labels.begin(), block.labels.end(),
                    [&](std::uint32_t l) { return l == block.labels.front(); }))
      throw InputError(describe({}, "rows",
                                fmt::format("an order without {} rows of one class in a row: "
                                            "shuffle the lines of the file",
                                            block_rows_)));
    const auto learner = ready(block, done_ * steps_);
    train_in_pieces(*learner, steps_, Precision::parse("f32"), stop);
    if (!std::isfinite(learner->smoothed_loss()))
      throw InputError(describe({}, "learning rate", "a lower one: the training diverged"));
    counters_ += learner->counters();
    parameters_ = learner->parameters();
    ++done_;
  }

  /// The model, and its quality on those rows, counted.
  void finish(const Dataset& like, const Dataset& held_out, StreamResult& result) {
    Dataset two = like;  // a learner wants rows; they are not looked at
    two.rows = 2;
    two.features.assign(2 * like.columns, 0.0f);
    if (like.is_regression())
      two.targets = {0.0f, 1.0f};
    else
      two.labels = {0u, 1u};
    LearnerOptions small = options_;
    small.batch = 1;
    const auto learner = ready(two, 0, &small);
    result.model = saved_model(*learner, options_, like, 32);
    result.model.precision = "f32";
    if (held_out.rows > 0) result.quality = learner->evaluate(held_out, Precision::parse("f32"));
    result.model.quality = result.quality;
    counters_ += learner->counters();
  }

  void restore(std::vector<std::vector<float>> parameters, std::uint64_t done,
               const Counters& counters) {
    if (done > blocks_) throw InputError("checkpoint: of a longer training");
    parameters_ = std::move(parameters);
    done_ = done;
    counters_ = counters;
  }

 private:
  std::unique_ptr<Learner> ready(const Dataset& rows, std::uint64_t step,
                                 const LearnerOptions* given = nullptr) const {
    LearnerOptions o = given != nullptr ? *given : options_;
    o.epochs = 1.0;
    auto learner = make_learner(o, rows);
    learner->set_schedule({blocks_ * steps_, 0, 0.0});
    if (!parameters_.empty()) learner->adopt(parameters_, step);
    return learner;
  }

  LearnerOptions options_;
  std::size_t block_rows_ = 0;
  std::uint64_t blocks_ = 0, steps_ = 0, done_ = 0;
  std::vector<std::vector<float>> parameters_;
  Counters counters_;
};

void put_rows(StateWriter& out, const Dataset& d) {
  out.value<std::uint64_t>(d.rows);
  out.sequence(d.features);
  out.sequence(d.labels);
  out.sequence(d.targets);
}

Dataset get_rows(StateReader& in, const Dataset& like) {
  Dataset d = like;
  d.rows = in.value<std::uint64_t>();
  d.features = in.sequence<float>();
  d.labels = in.sequence<std::uint32_t>();
  d.targets = in.sequence<float>();
  const bool fits =
      d.rows <= d.features.size() / std::max<std::size_t>(d.columns, 1) &&
      d.features.size() == d.rows * d.columns &&
      (d.is_regression() ? d.targets.size() : d.labels.size()) == d.rows &&
      std::all_of(d.labels.begin(), d.labels.end(), [&](std::uint32_t l) { return l < d.classes; });
  if (!fits) throw InputError("checkpoint: its bytes are no state of this");
  return d;
}

std::uint32_t checksum(const std::vector<std::uint8_t>& bytes, std::size_t size) {
  return static_cast<std::uint32_t>(::crc32_z(0, bytes.data(), static_cast<z_size_t>(size)));
}

class Stream {
 public:
  explicit Stream(const StreamOptions& options) : options_(options), rows_(options) {
    const std::filesystem::path& checkpoint = options.checkpoint;
    if (!checkpoint.empty() && std::filesystem::exists(checkpoint)) {
      restore();
      return;
    }
    rows_.look();
    trainer_.emplace(options.learner, rows_.train_rows(), options.block_rows);
    waiting_ = rows_.like();
  }

  StreamResult run() {
    try {
      while (!trainer_->done()) step();
    } catch (const Stopped&) {
      save();
      throw;
    }
    StreamResult r;
    r.resumed = resumed_;
    r.train_rows = rows_.train_rows();
    r.unlabelled_rows = rows_.unlabelled();
    r.blocks = trainer_->blocks_done();
    r.steps = trainer_->steps_done();
    r.trained_rows = r.blocks * trainer_->block_rows();
    r.held_out_rows = rows_.held_out().rows;
    trainer_->finish(rows_.like(), rows_.held_out(), r);
    r.model.train_rows = r.train_rows;
    r.model.trained_on = rows_.like().name;
    r.counters = trainer_->counters();
    // A shorter training than a pass has not met all rows held out: they are of the same kind.
    return r;
  }

 private:
  void step() {
    options_.stop.throw_if_requested();
    const std::size_t block = trainer_->block_rows();
    if (waiting_.rows < from_ + block) {
      drop_used();
      rows_.fill(waiting_);
      return;
    }
    trainer_->train(waiting_, from_, options_.stop);
    from_ += block;
    if (options_.progress)
      options_.progress(trainer_->blocks_done() * block, trainer_->blocks() * block);
    if (trainer_->blocks_done() % std::max<std::size_t>(options_.checkpoint_blocks, 1) == 0) save();
  }

  void drop_used() {
    Dataset rest = rows_.like();
    append_rows(rest, waiting_, from_, waiting_.rows);
    waiting_ = std::move(rest);
    from_ = 0;
  }

  std::string facts() const {
    const LearnerOptions& l = options_.learner;
    return fmt::format("{} {} {} {} {} {} | {} {} {} {} {} | {} {} {}", l.model, l.hidden, l.batch,
                       l.epochs, l.learning_rate, l.seed,
                       std::filesystem::path(options_.data.path).filename().string(),
                       std::filesystem::file_size(options_.data.path), options_.data.labels,
                       options_.data.task, options_.data.test_share, options_.piece_bytes,
                       options_.block_rows, options_.most_held_out);
  }

  void save() {
    if (options_.checkpoint.empty() || trainer_->blocks_done() == 0) return;
    drop_used();
    StreamResult now;
    Dataset none = rows_.like();
    const Counters counters = trainer_->counters();
    trainer_->finish(rows_.like(), none, now);
    StateWriter out;
    out.value(kCheckpoint);
    out.text(facts());
    out.sequence(pack_model(now.model));
    out.value(trainer_->blocks_done());
    const StreamRows::Position at = rows_.position();
    for (const std::uint64_t n :
         {at.offset, at.row, at.round, rows_.train_rows(), rows_.unlabelled()})
      out.value(n);
    for (const std::uint64_t n : counters.operations) out.value(n);
    for (const std::uint64_t n : counters.bytes) out.value(n);
    put_rows(out, waiting_);
    put_rows(out, rows_.held_out());
    std::vector<std::uint8_t> bytes = out.take();
    const std::uint32_t sum = checksum(bytes, bytes.size());
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(sum >> (8 * i)));
    write_file(options_.checkpoint, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  void restore() {
    const std::string text = read_file(options_.checkpoint);
    std::vector<std::uint8_t> bytes(text.begin(), text.end());
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 4 && bytes.size() >= 4; ++i)
      sum |= std::uint32_t{bytes[bytes.size() - 4 + i]} << (8 * i);
    if (bytes.size() < 4 || checksum(bytes, bytes.size() - 4) != sum)
      throw InputError(options_.checkpoint + ": checkpoint: damaged");
    bytes.resize(bytes.size() - 4);
    StateReader in(bytes);
    if (in.value<std::uint32_t>() != kCheckpoint || in.text() != facts())
      throw InputError(describe({options_.checkpoint, 0}, "checkpoint",
                                "one of the same data, learner and options; this is of another "
                                "training: take it away to begin anew"));
    const SavedModel model = unpack_model(in.sequence<std::uint8_t>());
    const auto done = in.value<std::uint64_t>();
    StreamRows::Position at;
    std::uint64_t train_rows = 0, unlabelled = 0;
    for (std::uint64_t* n : {&at.offset, &at.row, &at.round, &train_rows, &unlabelled})
      *n = in.value<std::uint64_t>();
    Counters counters;
    for (std::uint64_t& n : counters.operations) n = in.value<std::uint64_t>();
    for (std::uint64_t& n : counters.bytes) n = in.value<std::uint64_t>();
    Dataset like = rows_.like();
    like.encoding = model.encoding;
    like.target_mean = model.shape.target_mean;
    like.target_scale = model.shape.target_scale;
    waiting_ = get_rows(in, like);
    Dataset held_out = get_rows(in, like);
    in.end();
    rows_.restore(like, at, std::move(held_out), train_rows, unlabelled);
    trainer_.emplace(options_.learner, train_rows, options_.block_rows);
    trainer_->restore(model.parameters, done, counters);
    resumed_ = true;
  }

  const StreamOptions& options_;
  StreamRows rows_;
  std::optional<BlockTrainer> trainer_;
  Dataset waiting_;  // rows read and not trained on, from from_ on
  std::size_t from_ = 0;
  bool resumed_ = false;
};

}  // namespace

bool too_large_for_memory(const std::string& path, double share) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGE_SIZE);
  if (error || pages <= 0 || page <= 0) return false;
  return static_cast<double>(size) > share * static_cast<double>(pages) * static_cast<double>(page);
}

StreamResult learn_stream(const StreamOptions& options) { return Stream(options).run(); }

std::vector<std::vector<float>> learn_in_blocks(const LearnerOptions& options, const Dataset& rows,
                                                std::size_t block_rows) {
  BlockTrainer trainer(options, rows.rows, block_rows);
  Dataset none = rows;
  none.rows = 0;
  for (auto* part : {&none.features, &none.targets}) part->clear();
  none.labels.clear();
  Dataset waiting = none;
  std::size_t from = 0;
  while (!trainer.done()) {
    if (waiting.rows < from + trainer.block_rows()) {  // the rest of a pass, then the next one
      Dataset rest = none;
      append_rows(rest, waiting, from, waiting.rows);
      append_rows(rest, rows, 0, rows.rows);
      waiting = std::move(rest);
      from = 0;
    }
    trainer.train(waiting, from, {});
    from += trainer.block_rows();
  }
  return trainer.parameters();
}

}  // namespace carnot::learn
