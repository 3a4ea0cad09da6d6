// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The measured training jobs of Pollux (Qiao et al., OSDI 2021; petuum/adaptdl, branch
/// osdi21-artifact): seconds a step by GPUs and batch, steps until the end of training and its
/// quality by batch.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace carnot::benches {

/// Rows of a CSV by the names of its columns.
inline std::vector<std::map<std::string, std::string>> read_rows(const std::string& path) {
  std::ifstream in(path);
  const auto cells = [](const std::string& line) {
    std::vector<std::string> out;
    std::stringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) out.push_back(cell);
    return out;
  };
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> names = cells(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> values = cells(line);
    if (values.size() != names.size()) continue;
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = values[i];
  }
  return rows;
}

class PolluxApp {
 public:
  PolluxApp(const std::string& traces, const std::string& name, const std::vector<int>& batches)
      : lower_is_better_(name == "deepspeech2" || name == "yolov3") {
    for (const auto& row : read_rows(traces + "/" + name + "/placements.csv"))
      if (row.at("placement").size() == 1)  // all GPUs in one node
        step_[std::stoi(row.at("placement"))][std::stod(row.at("local_bsz"))] =
            std::stod(row.at("step_time"));
    std::map<int, int> fewest;  // nodes, by GPUs
    const auto wide = read_rows(traces + "/" + name + "/scalability.csv");
    for (const auto& row : wide) {
      int& nodes = fewest.try_emplace(std::stoi(row.at("num_replicas")), 1 << 30).first->second;
      nodes = std::min(nodes, std::stoi(row.at("num_nodes")));
    }
    for (const auto& row : wide)
      if (std::stoi(row.at("num_nodes")) == fewest.at(std::stoi(row.at("num_replicas"))))
        step_[std::stoi(row.at("num_replicas"))][std::stod(row.at("local_bsz"))] =
            std::stod(row.at("step_time"));
    for (const int batch : batches) {
      const auto rows =
          read_rows(traces + "/" + name + "/validation-" + std::to_string(batch) + ".csv");
      if (rows.empty()) continue;
      steps_[batch] = std::stod(rows.back().at("iteration"));
      quality_[batch] = std::stod(rows.back().at("metric"));
    }
  }

  /// Of training to the end; NaN where it was not measured (between measured batches a GPU: a
  /// straight line).
  double seconds(int gpus, int batch) const {
    const auto row = step_.find(gpus);
    if (row == step_.end() || !steps_.contains(batch)) return NAN;
    const double local = static_cast<double>(batch) / gpus;
    const auto above = row->second.lower_bound(local - 1.0);  // batches differ by rounding
    if (above == row->second.end() || (above == row->second.begin() && above->first > local + 1.0))
      return NAN;
    double step = above->second;
    if (above->first > local + 1.0) {
      const auto below = std::prev(above);
      step = below->second + (above->second - below->second) * (local - below->first) /
                                 (above->first - below->first);
    }
    return steps_.at(batch) * step;
  }
  /// Share of quality lost by another batch; below zero: gained.
  double loss(int from, int to) const {
    const double ratio = quality_.at(to) / quality_.at(from);
    return lower_is_better_ ? ratio - 1.0 : 1.0 - ratio;
  }
  const std::map<int, double>& batches() const { return steps_; }
  const std::map<int, std::map<double, double>>& step_times() const { return step_; }

 private:
  bool lower_is_better_;
  std::map<int, std::map<double, double>> step_;  // [GPUs][batch a GPU]
  std::map<int, double> steps_, quality_;         // [batch]
};

/// The six there are.
inline std::map<std::string, PolluxApp> pollux_apps(const std::string& traces) {
  const std::map<std::string, std::vector<int>> batches = {
      {"bert", {12, 24, 48, 96, 192, 384}},
      {"cifar10", {128, 256, 512, 1024, 2048, 4096}},
      {"deepspeech2", {20, 40, 80, 160, 320, 640}},
      {"imagenet", {200, 400, 800, 1600, 3200, 6400, 12800}},
      {"ncf", {256, 512, 1024, 2048, 4096, 8192, 16384, 32768}},
      {"yolov3", {8, 16, 32, 64, 128, 256, 512}}};
  std::map<std::string, PolluxApp> apps;
  for (const auto& [name, sizes] : batches) apps.emplace(name, PolluxApp(traces, name, sizes));
  return apps;
}

}  // namespace carnot::benches
