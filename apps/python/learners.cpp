// SPDX-License-Identifier: Apache-2.0
// Learners on arrays in memory: what carnot.CarnotClassifier and CarnotRegressor call.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "carnot/base/error.hpp"
#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/network/defaults.hpp"
#include "carnot/learn/saved/saved_model.hpp"
#include "carnot/report/learn/report.hpp"

#include "bindings.hpp"
#include "errors.hpp"
#include "watched.hpp"

namespace carnot::python {

namespace nb = nanobind;

namespace {

using Matrix = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Vector = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

/// A trained model with what its training cost and learned.
struct Fitted {
  std::shared_ptr<const learn::SavedModel> model;
  std::string document, page;
  EstimateCore energy;
  learn::CodeLengths bits;
  std::uint64_t steps = 0;
  bool diverged = false;
  std::string stopped;
};

/// Mean and standard deviation of a column's numbers; a constant one has a scale of 1.
std::pair<double, double> moments(const double* at, std::size_t rows, std::size_t step) {
  double sum = 0, squares = 0;
  std::size_t n = 0;
  for (std::size_t r = 0; r < rows; ++r)
    if (const double x = at[r * step]; !std::isnan(x)) sum += x, ++n;
  const double mean = n > 0 ? sum / static_cast<double>(n) : 0.0;
  for (std::size_t r = 0; r < rows; ++r)
    if (const double x = at[r * step]; !std::isnan(x)) squares += (x - mean) * (x - mean);
  const double scale = n > 0 ? std::sqrt(squares / static_cast<double>(n)) : 0.0;
  // A column whose spread is rounding alone is constant.
  return {mean, scale > 1e-12 * std::abs(mean) && std::isfinite(scale) ? scale : 1.0};
}

/// Rows as features: (x - mean) / scale, missing ones the mean.
void encode(const learn::TableEncoding& encoding, const double* x, std::size_t rows,
            learn::Dataset& out) {
  out.rows = rows;
  out.columns = encoding.columns.size();
  out.features.resize(rows * out.columns);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < out.columns; ++c) {
      const std::size_t i = r * out.columns + c;
      const learn::ColumnEncoding& column = encoding.columns[c];
      if (std::isnan(x[i])) {
        out.features[i] = 0.0F;
        out.missing.push_back(i);
        continue;
      }
      const double z = (x[i] - column.mean) / column.scale;
      // Far outside of what was learned from is still a number.
      constexpr double kMost = 1e30;
      out.features[i] = static_cast<float>(std::clamp(z, -kMost, kMost));
    }
}

std::shared_ptr<learn::TableEncoding> fitted_encoding(const double* x, std::size_t rows,
                                                      const std::vector<std::string>& names,
                                                      const std::vector<std::string>& classes,
                                                      bool named, bool label_numbers) {
  auto e = std::make_shared<learn::TableEncoding>();
  for (std::size_t c = 0; c < names.size(); ++c) {
    learn::ColumnEncoding column;
    column.name = names[c];
    std::tie(column.mean, column.scale) = moments(x + c, rows, names.size());
    column.first = c;
    e->columns.push_back(std::move(column));
  }
  e->label = classes.empty() ? "target" : "class";
  e->label_words = classes;
  e->label_numbers = label_numbers;
  e->has_header = named;
  e->file_columns = names.size() + 1;
  return e;
}

learn::Dataset dataset_of(const Matrix& x, const Vector& y,
                          const std::vector<std::string>& feature_names,
                          const std::vector<std::string>& classes, bool named, bool label_numbers) {
  learn::Dataset d;
  const auto encoding =
      fitted_encoding(x.data(), x.shape(0), feature_names, classes, named, label_numbers);
  d.name = "arrays";
  d.source = "arrays in memory";
  d.feature_names = feature_names;
  d.class_names = classes;
  d.classes = classes.size();
  encode(*encoding, x.data(), x.shape(0), d);
  d.encoding = encoding;
  if (classes.empty()) {
    std::tie(d.target_mean, d.target_scale) = moments(y.data(), d.rows, 1);
    d.targets.resize(d.rows);
    for (std::size_t r = 0; r < d.rows; ++r)
      d.targets[r] = static_cast<float>((y(r) - d.target_mean) / d.target_scale);
  } else {
    d.labels.resize(d.rows);
    for (std::size_t r = 0; r < d.rows; ++r) d.labels[r] = static_cast<std::uint32_t>(y(r));
  }
  return d;
}

/// A few rows, where a whole set that is held out is asked for and there is none.
learn::Dataset first_rows(const learn::Dataset& data) {
  learn::Dataset out = data;
  out.rows = std::min<std::size_t>(data.rows, 64);
  out.features.resize(out.rows * out.columns);
  if (!out.labels.empty()) out.labels.resize(out.rows);
  if (!out.targets.empty()) out.targets.resize(out.rows);
  std::erase_if(out.missing, [&](std::uint64_t i) { return i >= out.features.size(); });
  return out;
}

/// Options by the words of the command line; 0 and "" are what the data suggests.
experiment::ExperimentOptions options_of(const nb::dict& given, const learn::Dataset& train) {
  experiment::ExperimentOptions o;
  const learn::TrainingDefaults defaults = learn::training_defaults(train);
  const auto number = [&](const char* name) { return nb::cast<double>(given[name]); };
  const auto whole = [&](const char* name) { return nb::cast<std::size_t>(given[name]); };
  o.learner.model = nb::cast<std::string>(given["learner"]);
  o.learner.hidden = whole("hidden");
  o.learner.seed = nb::cast<std::uint64_t>(given["seed"]);
  o.learner.threads = nb::cast<int>(given["threads"]);
  o.learner.momentum = number("momentum");
  o.learner.epochs = number("epochs") > 0 ? number("epochs") : defaults.epochs;
  o.learner.batch = whole("batch") > 0 ? whole("batch") : defaults.batch;
  o.learner.batch = std::min(o.learner.batch, train.rows);
  const double rate = number("learning_rate");
  o.learner.learning_rate = rate > 0 ? rate : defaults.learning_rate;
  o.tree.learning_rate = rate;
  o.tree.trees = whole("trees");
  o.tree.leaves = whole("leaves");
  o.tree.depth = whole("depth");
  o.tree.bins = whole("bins");
  o.tree.subsample = number("subsample");
  o.tree.hold_out = number("hold_out");
  if (const std::string bits = nb::cast<std::string>(given["bits"]); !bits.empty()) o.bits = {bits};
  if (const double budget = number("budget_j"); budget > 0) o.budget = budget * joule;
  o.curve_points = 2;
  return o;
}

Fitted fit(const Matrix& x, const Vector& y, const std::vector<std::string>& feature_names,
           const std::vector<std::string>& classes, bool named, bool label_numbers,
           const nb::dict& given, const nb::object& progress) {
  if (x.shape(0) != y.shape(0)) throw InputError(describe({}, "y", "as many values as X has rows"));
  if (x.shape(1) != feature_names.size())
    throw InputError(describe({}, "feature names", "as many as X has columns"));
  const auto split = std::make_shared<learn::Split>();
  split->train = dataset_of(x, y, feature_names, classes, named, label_numbers);
  split->test = first_rows(split->train);
  const auto options =
      std::make_shared<experiment::ExperimentOptions>(options_of(given, split->train));
  const auto result = std::make_shared<Fitted>();
  watched(
      std::make_shared<Watch>(),
      [split, options, result](const std::shared_ptr<Watch>& watch) {
        options->stop = token_of(watch);
        options->progress = [watch](const experiment::ExperimentProgress& p) {
          watch->say(std::to_string(p.steps) + " of " + std::to_string(p.total_steps) + " steps");
          return !watch->stopped();
        };
        std::optional<learn::SavedModel> model;
        options->trained = [&](const learn::Learner& learner) {
          model = learn::saved_model(learner, options->learner, split->train, 32);
        };
        const experiment::ExperimentResult r = experiment::run_experiment(*options, *split);
        if (r.stopped || !model || r.points.empty()) throw Stopped();
        const experiment::ExperimentPoint& point = r.points.front();
        model->precision = point.precision;
        model->quality = {};  // nothing was held out
        result->model = std::make_shared<const learn::SavedModel>(std::move(*model));
        result->energy = point.energy.core();
        result->bits = point.lengths;
        result->steps = point.steps;
        result->diverged = point.diverged;
        result->stopped = point.stopped;
      },
      progress, false);
  return std::move(*result);
}

nb::object predict(const Fitted& fitted, const Matrix& x) {
  const learn::SavedModel& model = *fitted.model;
  if (model.encoding == nullptr || x.shape(1) != model.encoding->columns.size())
    throw InputError(describe({}, "X", "as many columns as the model learned from"));
  auto out = std::make_unique<std::vector<double>>();
  std::size_t width = 1;
  {
    const nb::gil_scoped_release released;
    learn::Dataset data = model.shape;
    encode(*model.encoding, x.data(), x.shape(0), data);
    data.encoding = model.encoding;
    const learn::Predictions p = learn::predict(model, data);
    if (model.shape.is_regression()) {
      *out = p.targets;
    } else {
      width = model.shape.classes;
      out->assign(p.values.begin(), p.values.end());
    }
  }
  std::vector<double>* const values = out.get();
  const nb::capsule owner(out.release(),
                          [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
  return nb::cast(
      nb::ndarray<nb::numpy, double, nb::ndim<2>>(values->data(), {x.shape(0), width}, owner));
}

nb::bytes packed(const Fitted& f) {
  const std::vector<std::uint8_t> bytes = learn::pack_model(*f.model);
  return nb::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Fitted unpacked(const nb::bytes& bytes) {
  Fitted f;
  f.model = std::make_shared<const learn::SavedModel>(
      learn::unpack_model({reinterpret_cast<const std::uint8_t*>(bytes.c_str()), bytes.size()}));
  return f;
}

nb::dict causes(const EstimateCore& e) {
  nb::dict out;
  for (const EstimateCore::Cause& c : e.causes())
    out[c.name.c_str()] = nb::make_tuple(c.up, c.down);
  return out;
}

nb::dict lengths(const Fitted& f) {
  nb::dict out;
  out["uniform"] = f.bits.uniform;
  out["data"] = f.bits.data;
  out["model"] = f.bits.model;
  out["two_part"] = f.bits.two_part;
  out["prequential"] = f.bits.prequential;
  out["learned_net"] = f.bits.learned_net;
  return out;
}

}  // namespace

void bind_learners(nb::module_& m) {
  nb::class_<Fitted>(m, "FittedModel", "A trained model; see carnot.CarnotClassifier.")
      .def("predict", &predict, nb::arg("x"))
      .def("packed", &packed, "Its bytes, as `carnot learn --save` writes them.")
      .def_static("unpacked", &unpacked, nb::arg("bytes"))
      .def(
          "save",
          [](const Fitted& f, const std::string& path) { learn::save_model(*f.model, path); },
          nb::arg("path"))
      .def_prop_ro("energy_value", [](const Fitted& f) { return f.energy.value(); })
      .def_prop_ro("energy_origin",
                   [](const Fitted& f) { return std::string(name(f.energy.origin())); })
      .def_prop_ro("energy_boundary",
                   [](const Fitted& f) { return std::string(name(f.energy.boundary())); })
      .def_prop_ro("energy_causes", [](const Fitted& f) { return causes(f.energy); })
      .def_prop_ro("bits", &lengths)
      .def_ro("steps", &Fitted::steps)
      .def_ro("diverged", &Fitted::diverged)
      .def_ro("stopped", &Fitted::stopped);
  m.def("fit", &fit, nb::arg("x"), nb::arg("y"), nb::arg("feature_names"), nb::arg("classes"),
        nb::arg("named"), nb::arg("label_numbers"), nb::arg("options"), nb::arg("progress").none());
}

}  // namespace carnot::python
