// SPDX-License-Identifier: Apache-2.0
#include "report/grid/document.hpp"

#include <cmath>
#include <map>
#include <numeric>

#include "carnot/base/limits.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

namespace {

class Reader {
 public:
  Reader(const std::string& text, const std::string& path)
      : path_(path), root_(parse_object(text, path)) {}

  GridPageDocument read() {
    const std::string schema = text_at(root_, "schema", path_);
    out_.study = schema == "carnot.grid-place/1";
    if (!out_.study && schema != "carnot.grid/1")
      throw InputError(path_ + ": schema: carnot.grid/1 or carnot.grid-place/1");
    out_.name = text_at(root_, "case", path_);
    out_.command = text_at(root_, "command", path_);
    out_.version = text_at(root_, "carnot", path_);
    out_.outcome = text_at(root_, "outcome", path_);
    out_.time = text_at(root_, out_.study ? "begin" : "time", path_);
    read_wires();
    if (out_.study)
      read_study();
    else
      read_dispatch();
    return std::move(out_);
  }

 private:
  /// Bus of a number of the document.
  std::size_t bus(const Json& entry, const char* key) const {
    const double number = number_at(entry, key, path_);
    const auto at = index_.find(static_cast<std::int64_t>(std::isfinite(number) ? number : -1));
    if (at == index_.end()) throw InputError(fmt::format("{}: {}: a bus of `buses`", path_, key));
    return at->second;
  }

  void read_wires() {
    for (const Json& b : part_at(root_, "buses", path_, true)) {
      const double number = number_at(b, "bus", path_);
      if (!(std::abs(number) < 1e15)) throw InputError(path_ + ": buses: bus: a whole number");
      const auto id = static_cast<std::int64_t>(number);
      index_.emplace(id, out_.buses.size());
      out_.buses.push_back(
          {std::to_string(id),
           {number_at(b, "longitude_deg", path_), number_at(b, "latitude_deg", path_)}});
    }
    for (const Json& l : part_at(root_, "branches", path_, true))
      out_.branches.push_back({bus(l, "from"), bus(l, "to"), number_at(l, "limit_mw", path_)});
  }

  void read_dispatch() {
    const auto number = [&](const char* key) { return number_at(root_, key, path_); };
    out_.cost_per_h = number("cost_per_h");
    out_.generation_mw = number("generation_mw");
    out_.demand_mw = number("demand_mw");
    out_.losses_mw = number("losses_mw");
    out_.available_mw = number("available_mw");
    out_.curtailed_mw = number("curtailed_mw");
    out_.co2_kg_per_h = number("co2_kg_per_h");
    out_.week_hours = 1;
    if (out_.branches.empty()) return;
    GridPagePicture picture;
    const Json branches = part_at(root_, "branches", path_, true);
    for (std::size_t l = 0; l < out_.branches.size(); ++l)
      picture.mean.push_back(std::abs(number_at(branches[l], "flow_mw", path_)) /
                             out_.branches[l].limit_mw);
    picture.greatest = picture.mean;
    std::map<std::size_t, GridPageSite> weather;
    for (const Json& g : part_at(root_, "generators", path_, true)) {
      if (!g.is_object() || !g.value("weather_driven", false)) continue;
      GridPageSite& site = weather[bus(g, "bus")];
      const double output = number_at(g, "output_mw", path_);
      site.exported_mwh += output;
      site.curtailed_mwh += std::max(number_at(g, "maximum_mw", path_) - output, 0.0);
    }
    for (auto& [at, site] : weather) {
      site.bus = at;
      picture.sites.push_back(site);
    }
    out_.pictures.push_back(std::move(picture));
  }

  void read_study() {
    out_.hours = number_at(root_, "hours", path_);
    const Json assumptions = part_at(root_, "assumptions", path_, false);
    out_.utilisation = number_at(assumptions, "utilisation", path_);
    out_.deferrable = number_at(assumptions, "deferrable", path_);
    out_.movable = number_at(assumptions, "movable", path_);
    out_.window_h = number_at(assumptions, "window_h", path_);
    out_.carbon_price_per_t = number_at(assumptions, "carbon_price_per_t", path_);
    const Json week = part_at(root_, "week", path_, false);
    out_.week_hours = number_at(week, "hours", path_);
    out_.week_begin = text_at(week, "begin", path_);
    const Json shown = part_at(week, "variants", path_, true);
    std::size_t i = 0;
    for (const Json& variant : part_at(root_, "variants", path_, true)) {
      GridPagePicture picture;
      picture.name = text_at(variant, "signal", path_);
      picture.totals = totals(part_at(variant, "total", path_, false));
      if (i < shown.size()) read_week(shown[i], picture);
      ++i;
      out_.pictures.push_back(std::move(picture));
    }
  }

  GridPageTotals totals(const Json& t) const {
    const auto number = [&](const char* key) { return number_at(t, key, path_); };
    return {number("cost"),          number("co2_t"),          number("computing_mwh"),
            number("own_used_mwh"),  number("moved_mwh"),      number("available_mwh"),
            number("curtailed_mwh"), number("absorbed_share"), number("congested_hours"),
            number("losses_mwh"),    number("overload_mw")};
  }

  /// A list by hour; hours without a dispatch count nothing.
  std::vector<double> hours(const Json& in, const char* key) const {
    std::vector<double> out;
    for (const Json& x : part_at(in, key, path_, true)) {
      if (!x.is_number() && !x.is_null())
        throw InputError(fmt::format("{}: {}: numbers or null", path_, key));
      out.push_back(x.is_number() ? x.get<double>() : 0.0);
    }
    return out;
  }

  void read_week(const Json& week, GridPagePicture& picture) const {
    const auto add = [](std::vector<double>& to, const std::vector<double>& from) {
      to.resize(std::max(to.size(), from.size()));
      for (std::size_t t = 0; t < from.size(); ++t) to[t] += from[t];
      return std::accumulate(from.begin(), from.end(), 0.0);
    };
    for (const Json& s : part_at(week, "sites", path_, true)) {
      GridPageSite site;
      site.bus = bus(s, "bus");
      const std::vector<double> own = hours(s, "own_used_mw"), load = hours(s, "load_mw");
      if (own.size() != load.size()) throw InputError(path_ + ": sites: lists of equal length");
      std::vector<double> bought;
      for (std::size_t t = 0; t < load.size(); ++t)
        bought.push_back(std::max(load[t] - own[t], 0.0));
      site.own_mwh = add(picture.own_mw, own);
      site.grid_mwh = add(picture.grid_mw, bought);
      site.exported_mwh = add(picture.exported_mw, hours(s, "exported_mw"));
      site.curtailed_mwh = add(picture.curtailed_mw, hours(s, "curtailed_mw"));
      picture.sites.push_back(site);
    }
    const Json flows = part_at(week, "flow_mw", path_, true);
    for (std::size_t l = 0; l < out_.branches.size(); ++l) {
      double sum = 0, most = 0;
      std::size_t count = 0;
      if (l < flows.size() && flows[l].is_array())
        for (const Json& x : flows[l]) {
          if (!x.is_number()) continue;
          const double share = std::abs(x.get<double>()) / out_.branches[l].limit_mw;
          sum += share;
          most = std::max(most, share);
          ++count;
        }
      picture.mean.push_back(count > 0 ? sum / static_cast<double>(count) : kNaN);
      picture.greatest.push_back(count > 0 && std::isfinite(sum) ? most : kNaN);
    }
  }

  std::string path_;
  Json root_;
  std::map<std::int64_t, std::size_t> index_;
  GridPageDocument out_;
};

}  // namespace

GridPageDocument read_grid_document(const std::string& text, const std::string& path) {
  return Reader(text, path).read();
}

int loading_class(double share) {
  if (!(share >= 0.5)) return 0;
  return share < 0.8 ? 1 : share < 0.995 ? 2 : 3;
}

}  // namespace carnot::report
