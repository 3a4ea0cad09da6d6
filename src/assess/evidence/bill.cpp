// SPDX-License-Identifier: Apache-2.0
// Bills: FOCUS 1.0 to 1.2, AWS CUR (2 and its forerunner), Azure's and Google's own exports.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "assess/evidence/bill_class.hpp"
#include "assess/evidence/cells.hpp"
#include "assess/evidence/readers.hpp"

namespace carnot::assess {

namespace {

/// Where a bill keeps what all bills have; -1: it has none.
struct BillColumns {
  int service = -1, description = -1, usage = -1, instance = -1, meter = -1, unit = -1;
  int category = -1, charge_class = -1, commitment = -1, resource_type = -1;
  int quantity = -1, other_quantity = -1, other_unit = -1;
  int provider = -1, region = -1, zone = -1, resource = -1, resource_name = -1, tags = -1;
  int account = -1, from = -1, to = -1, cost = -1, currency = -1, list_cost = -1;
  int details = -1;  ///< JSON that may name the instance
};

std::uint8_t provider_of(std::string_view name) {
  if (holds(name, "aws") || holds(name, "amazon")) return 1;
  if (holds(name, "microsoft") || holds(name, "azure")) return 2;
  if (holds(name, "google") || holds(name, "gcp")) return 3;
  if (holds(name, "oracle") || holds(name, "oci")) return 4;
  return 5;
}

/// The text of a member of a flat JSON object; empty: none.
std::string_view json_member(std::string_view json, std::string_view key) {
  std::string quoted = "\"" + std::string(key) + "\"";
  const auto at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  std::size_t from = json.find(':', at + quoted.size());
  if (from == std::string_view::npos) return {};
  from = json.find('"', from);
  if (from == std::string_view::npos) return {};
  const auto to = json.find('"', from + 1);
  return to == std::string_view::npos ? std::string_view() : json.substr(from + 1, to - from - 1);
}

class BillReader {
 public:
  BillReader(CsvStream& table, Evidence& evidence, std::uint16_t file, BillColumns columns,
             std::uint8_t provider)
      : t_(table), e_(evidence), file_(file), c_(columns), provider_(provider) {}

  void read() {
    for (;;) {
      const CsvStream::State state = t_.next();
      if (state == CsvStream::State::End) return;
      ++e_.files[file_].rows;
      if (state == CsvStream::State::Broken) {
        e_.problem(file_, t_.line(), "row",
                   fmt::format("{} fields, as in the header, quotes closed", t_.header().size()));
        e_.settle(file_, Outcome::Unknown, "a row that cannot be read", t_.line());
        continue;
      }
      row();
    }
  }

 private:
  const BillClass& class_of(std::uint8_t provider) {
    BillWords w;
    w.provider = kProviders[provider];
    w.service = t_.field(c_.service);
    w.description = t_.field(c_.description);
    w.usage_type = t_.field(c_.usage);
    w.instance_type = t_.field(c_.instance);
    w.meter = t_.field(c_.meter);
    w.unit = unit_;
    w.category = t_.field(c_.category);
    w.resource_type = t_.field(c_.resource_type);
    w.commitment = t_.field(c_.commitment);
    if (w.instance_type.empty() && c_.details >= 0) {
      const std::string_view details = t_.field(c_.details);
      for (const std::string_view key :
           {"ServiceType", "InstanceType", "instanceType", "machine_spec"})
        if (w.instance_type.empty()) w.instance_type = json_member(details, key);
      if (cloud_machine(w.instance_type) == nullptr) w.instance_type = {};
    }
    key_.clear();
    for (const std::string_view part :
         {w.provider, w.service, w.description, w.usage_type, w.instance_type, w.meter, w.unit,
          w.category, w.resource_type, w.commitment}) {
      key_ += part;
      key_ += '\x1f';
    }
    if (const auto found = classes_.find(key_); found != classes_.end()) return found->second;
    // Descriptions repeat; a bill that never repeats one is no reason to run out of memory.
    if (classes_.size() > 200'000) classes_.clear();
    return classes_.emplace(key_, classify(w)).first->second;
  }

  void settle(Outcome outcome, std::string_view reason) {
    e_.settle(file_, outcome, reason, t_.line(), currency_, money_);
  }
  void refuse(std::string_view field, std::string_view allowed, std::string_view reason) {
    e_.problem(file_, t_.line(), field, allowed);
    settle(Outcome::Unknown, reason);
  }

  void row() {
    money_ = 0;
    currency_ = e_.currency(t_.field(c_.currency).empty() ? std::string_view("?")
                                                          : t_.field(c_.currency).substr(0, 8));
    const std::string_view cost = t_.field(c_.cost);
    if (!cost.empty()) {
      const auto value = number_of(cost);
      if (!value) {
        refuse(t_.header()[static_cast<std::size_t>(c_.cost)], "a number",
               "a row that cannot be read");
        return;
      }
      money_ = *value;
    }
    const std::string_view stated = t_.field(c_.provider);
    const std::uint8_t provider = c_.provider < 0 ? provider_ : provider_of(stated);

    unit_ = t_.field(c_.unit);
    std::string_view quantity_text = t_.field(c_.quantity);
    if ((unit_.empty() || quantity_text.empty()) && c_.other_quantity >= 0) {
      unit_ = t_.field(c_.other_unit);
      quantity_text = t_.field(c_.other_quantity);
    }
    const BillClass& use = class_of(provider);
    if (use.use == BillClass::Use::Settled) {
      settle(use.outcome, use.reason);
      return;
    }
    const auto quantity = number_of(quantity_text);
    if (!quantity) {
      if (quantity_text.empty())
        settle(Outcome::Unknown, "no quantity");
      else
        refuse("quantity", "a number", "a row that cannot be read");
      return;
    }
    if (*quantity < 0) {
      settle(Outcome::NoEnergy, "a negative quantity takes back money, not joules");
      return;
    }
    if (*quantity == 0) {
      settle(Outcome::NoEnergy, "a quantity of zero");
      return;
    }
    const auto from = from_.read(t_.field(c_.from));
    auto to = to_.read(t_.field(c_.to));
    if (from && !to) to = *from + 86400;  // a bill by day
    if (!from || *to <= *from) {
      refuse("charge period", "a start and a later end, such as 2024-09-18T22:00:00Z",
             "a row without a period");
      return;
    }
    covers(e_.files[file_], *from, *to);
    std::string_view region = t_.field(c_.region);
    if (region.empty()) region = t_.field(c_.zone);
    const std::uint32_t region_id = e_.text(region);
    const std::uint32_t account = e_.text(t_.field(c_.account));
    if (use.use == BillClass::Use::Amount) {
      ServiceAmount& amount = e_.amount(file_, use.what, provider, region_id, account);
      amount.amount += *quantity * use.amount_per_unit;
      ++amount.rows;
      amount.money[currency_] += money_;
      amount.first = std::min(amount.first, *from);
      amount.last = std::max(amount.last, *to);
      return;
    }
    const double hours = *quantity * use.hours_per_unit;
    if (use.use == BillClass::Use::UnknownMachine) {
      unknown(use, hours);
      return;
    }
    claim(use, hours, *from, *to, provider, region_id, account, region);
  }

  void unknown(const BillClass& use, double hours) {
    auto at = std::find_if(e_.unknown_machines.begin(), e_.unknown_machines.end(),
                           [&](const UnknownMachine& one) { return one.type == use.type; });
    if (at == e_.unknown_machines.end()) {
      if (e_.unknown_machines.size() >= 10'000) {
        settle(Outcome::Unknown, "a machine that is not in the catalogue");
        return;
      }
      e_.unknown_machines.push_back({use.type, 0, 0, nearest_machines(use.type)});
      at = e_.unknown_machines.end() - 1;
    }
    at->hours += hours;
    ++at->rows;
    settle(Outcome::Unknown, "a machine that is not in the catalogue: " + use.type.substr(0, 60));
  }

  void claim(const BillClass& use, double hours, std::uint32_t from, std::uint32_t to,
             std::uint8_t provider, std::uint32_t region_id, std::uint32_t account,
             std::string_view region) {
    const std::string_view resource = t_.field(c_.resource);
    std::uint32_t machine = 0;
    if (!resource.empty()) {
      machine = e_.resource(provider, resource);
    } else {
      key_.assign(kProviders[provider]);
      for (const std::string_view part :
           {t_.field(c_.account), region, std::string_view(use.type)}) {
        key_ += '\x1f';
        key_ += part;
      }
      machine = e_.pool(key_);
    }
    Machine& m = e_.machines[machine];
    if (m.type == kNone) {
      m.type = e_.text(use.type);
      m.provider = provider;
      m.region = region_id;
      m.account = account;
      m.vcpus = static_cast<float>(use.machine->vcpus);
      m.memory_gib = static_cast<float>(use.machine->memory_gib);
      m.accelerators = static_cast<float>(use.machine->accelerators);
      m.accelerator_w = static_cast<float>(use.machine->accelerator_w);
      m.host_of_others = use.use == BillClass::Use::Host;
      if (!resource.empty()) {
        if (const auto name = t_.field(c_.resource_name); !name.empty()) e_.named(machine, name);
        const std::string_view tags = t_.field(c_.tags);
        for (const std::string_view key :
             {"Name", "name", "hostname", "Hostname", "user:Name", "kubernetes.io/hostname"})
          if (const auto name = json_member(tags, key); !name.empty()) e_.named(machine, name);
        if (e_.machines.size() < 200'000) e_.machines[machine].label = e_.text(host_word(resource));
      }
    }
    const auto list = number_of(t_.field(c_.list_cost));
    if (use.on_host || (money_ == 0 && c_.list_cost >= 0 && list.value_or(1) == 0))
      e_.machines[machine].on_host = true;
    ClaimRow row;
    row.machine = machine;
    row.row = static_cast<std::uint32_t>(t_.line());
    row.from = from;
    row.length = to - from;
    row.amount = hours * 3600;
    row.money = money_;
    row.share = 1;
    row.file = file_;
    row.currency = currency_;
    row.kind = EvidenceKind::Bill;
    e_.claims.push_back(row);
  }

  CsvStream& t_;
  Evidence& e_;
  std::uint16_t file_;
  BillColumns c_;
  std::uint8_t provider_;
  std::string_view unit_;
  double money_ = 0;
  std::uint16_t currency_ = 0;
  std::string key_;
  std::unordered_map<std::string, BillClass> classes_;
  TimeReader from_, to_;
};

}  // namespace

void covers(EvidenceFile& file, std::uint32_t from, std::uint32_t to) {
  file.first = std::min(file.first, from);
  file.last = std::max(file.last, to);
}

bool is_focus(const CsvStream& t) { return t.has("billedcost") && t.has("chargecategory"); }

void read_focus(CsvStream& t, Evidence& e, std::uint16_t file) {
  BillColumns c;
  c.service = t.find({"servicename"});
  c.description = t.find({"chargedescription"});
  c.usage = t.find({"xusagetype", "xoperation", "xskudescription"});
  c.instance = t.find({"xinstancetype", "instancetype"});
  c.meter = t.find({"skumeter", "xskumetername"});
  c.details = t.find({"skupricedetails", "xskudetails"});
  c.unit = t.find({"consumedunit"});
  c.quantity = t.find({"consumedquantity"});
  c.other_unit = t.find({"pricingunit"});
  c.other_quantity = t.find({"pricingquantity"});
  c.category = t.find({"chargecategory"});
  c.commitment = t.find({"commitmentdiscountstatus"});
  c.resource_type = t.find({"resourcetype"});
  c.provider = t.find({"providername", "serviceprovidername", "publishername"});
  c.region = t.find({"regionid", "regionname", "region"});
  c.zone = t.find({"availabilityzone"});
  c.resource = t.find({"resourceid"});
  c.resource_name = t.find({"resourcename"});
  c.tags = t.find({"tags"});
  c.account = t.find({"subaccountid", "billingaccountid"});
  c.from = t.find({"chargeperiodstart"});
  c.to = t.find({"chargeperiodend"});
  c.cost = t.find({"billedcost"});
  c.list_cost = t.find({"listcost"});
  c.currency = t.find({"billingcurrency"});
  BillReader(t, e, file, c, 5).read();
}

bool is_cur(const CsvStream& t) {
  return t.has("lineitemusagetype") && t.has("lineitemunblendedcost");
}

void read_cur(CsvStream& t, Evidence& e, std::uint16_t file) {
  BillColumns c;
  c.service = t.find({"productproductname", "lineitemproductcode", "productservicecode"});
  c.description = t.find({"lineitemlineitemdescription"});
  c.usage = t.find({"lineitemusagetype"});
  c.instance = t.find({"productinstancetype"});
  c.unit = t.find({"pricingunit"});
  c.quantity = t.find({"lineitemusageamount"});
  c.category = t.find({"lineitemlineitemtype"});
  c.resource_type = t.find({"productproductfamily"});
  c.region = t.find({"productregioncode", "productregion"});
  c.zone = t.find({"lineitemavailabilityzone"});
  c.resource = t.find({"lineitemresourceid"});
  c.resource_name = t.find({"resourcetagsusername", "resourcetagsname"});
  c.tags = t.find({"resourcetags"});
  c.account = t.find({"lineitemusageaccountid"});
  c.from = t.find({"lineitemusagestartdate"});
  c.to = t.find({"lineitemusageenddate"});
  c.cost = t.find({"lineitemunblendedcost"});
  c.list_cost = t.find({"pricingpublicondemandcost"});
  c.currency = t.find({"lineitemcurrencycode"});
  BillReader(t, e, file, c, 1).read();
}

bool is_azure(const CsvStream& t) {
  return t.has("metercategory") && (t.has("quantity") || t.has("usagequantity")) &&
         t.find({"costinbillingcurrency", "pretaxcost", "cost"}) >= 0;
}

void read_azure(CsvStream& t, Evidence& e, std::uint16_t file) {
  BillColumns c;
  c.service = t.find({"metercategory"});
  c.description = t.find({"productname", "product", "metername"});
  c.usage = t.find({"metername"});
  c.meter = t.find({"metersubcategory"});
  c.unit = t.find({"unitofmeasure"});
  c.quantity = t.find({"quantity", "usagequantity"});
  c.category = t.find({"chargetype"});
  c.region = t.find({"resourcelocation", "location"});
  c.resource = t.find({"resourceid", "instanceid"});
  c.resource_name = t.find({"resourcename"});
  c.tags = t.find({"tags"});
  c.details = t.find({"additionalinfo"});
  c.account = t.find({"subscriptionid", "subscriptionguid"});
  c.from = t.find({"date", "usagedate", "usagedatetime"});
  c.cost = t.find({"costinbillingcurrency", "pretaxcost", "cost"});
  c.currency = t.find({"billingcurrencycode", "billingcurrency", "currency"});
  BillReader(t, e, file, c, 2).read();
}

bool is_gcp(const CsvStream& t) {
  return t.has("skudescription") && t.has("cost") &&
         t.find({"usageamount", "usageamountinpricingunits"}) >= 0;
}

void read_gcp(CsvStream& t, Evidence& e, std::uint16_t file) {
  BillColumns c;
  c.service = t.find({"servicedescription"});
  c.description = t.find({"skudescription"});
  c.unit = t.find({"usagepricingunit", "usageunit"});
  c.quantity = t.find({"usageamountinpricingunits", "usageamount"});
  c.category = t.find({"costtype"});
  c.region = t.find({"locationregion", "region"});
  c.zone = t.find({"locationzone"});
  c.account = t.find({"projectid"});
  c.from = t.find({"usagestarttime", "usagestartdate"});
  c.to = t.find({"usageendtime", "usageenddate"});
  c.cost = t.find({"cost"});
  c.currency = t.find({"currency"});
  BillReader(t, e, file, c, 3).read();
}

}  // namespace carnot::assess
