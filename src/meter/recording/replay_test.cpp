// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "base/testing_files.hpp"
#include "base/testing_thrown.hpp"
#include "meter/recording/recording.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"

namespace carnot::meter {
namespace {

using testing::FakeSource;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same(const Reading& a, const Reading& b) {
  return a.status == b.status && a.raw == b.raw && same_bits(a.power.base(), b.power.base()) &&
         same_bits(a.gain.low, b.gain.low) && same_bits(a.gain.high, b.gain.high) && a.at == b.at &&
         a.error == b.error;
}

std::unique_ptr<FakeSource> fake() {
  auto source = std::make_unique<FakeSource>("odd\tname");
  Domain package = testing::package_domain("fake/package-0");
  package.label = "tab\there \\ and\nline";
  source->add(package, 100.0 * watt, 4'294'900'000);
  Domain board = testing::gauge_domain("fake/board", DomainKind::Node);
  board.boundary = Boundary::Node;
  board.origin = Origin::Modelled;
  board.gauge.window = Duration::nanoseconds(123'456'789);
  board.gauge.gain = {1.0 / 3.0, 1e8};
  board.parent = "fake/package-0";
  source->add(board, (1.0 / 3.0) * kilowatt);
  return source;
}

TEST(Replay, AnswersBitForBitWhatWasRecorded) {
  const TemporaryFolder folder;
  SourceOptions options;
  options.replay_from = folder / "r";
  std::vector<std::vector<Reading>> seen;
  {
    auto inner = fake();
    FakeSource& control = *inner;
    std::vector<std::unique_ptr<Source>> sources;
    sources.push_back(std::move(inner));
    sources.push_back(std::make_unique<FakeSource>("empty"));
    sources = recorded(std::move(sources), options.replay_from);
    EXPECT_EQ(sources[0]->name(), "odd\tname");
    for (int i = 0; i < 50; ++i) {
      if (i == 7) control.fail(0, PollStatus::Retry, 2, EIO);
      if (i == 20) control.reset(0);
      if (i == 40) control.vanish(1);
      std::vector<Reading> readings(2);
      sources[0]->poll(readings);
      seen.push_back(readings);
      control.pass(Duration::nanoseconds(13'000'007 * (i + 1)),
                   Duration::seconds(i == 30 ? 60 : 0));
    }
  }
  const auto found = find_sources(options);
  ASSERT_EQ(found.sources.size(), 2u);
  Source& replay = *found.sources[0];
  EXPECT_EQ(replay.name(), "odd\tname");
  ASSERT_EQ(replay.domains().size(), 2u);
  const auto original = fake();
  EXPECT_EQ(describe_source(0, replay), describe_source(0, *original));
  EXPECT_EQ(replay.domains()[0].label, "tab\there \\ and\nline");
  std::vector<Reading> readings(2);
  for (const auto& expected : seen) {
    replay.poll(readings);
    for (std::size_t k = 0; k < 2; ++k) ASSERT_TRUE(same(readings[k], expected[k]));
  }
  for (int i = 0; i < 3; ++i) {
    replay.poll(readings);
    EXPECT_EQ(readings[0].status, PollStatus::Ended);
    EXPECT_EQ(readings[1].status, PollStatus::Ended);
  }
}

TEST(Replay, RecordingKeepsTheContractAndAllocatesNothing) {
  const TemporaryFolder folder;
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(fake());
  sources = recorded(std::move(sources), folder / "r");
  EXPECT_THAT(testing::check_source_contract(*sources[0], &testing::allocations), IsEmpty());
  SourceOptions options;
  options.replay_from = folder / "r";
  const auto replayed = open_replay(options);
  EXPECT_THAT(testing::check_source_contract(*replayed.at(0), &testing::allocations), IsEmpty());
}

// Accelerator use comes back after the poll it followed, once.
class UsingSource : public FakeSource {
 public:
  void device_use(std::vector<DeviceUse>& uses) noexcept override {
    uses.push_back({0, polls() * 100, 1.0 / 7.0 * polls(), 5});
  }
};

TEST(Replay, BringsBackWhoUsedTheAccelerators) {
  const TemporaryFolder folder;
  {
    auto inner = std::make_unique<UsingSource>();
    inner->add(testing::package_domain("fake/p"), 1.0 * watt);
    std::vector<std::unique_ptr<Source>> sources;
    sources.push_back(std::move(inner));
    sources = recorded(std::move(sources), folder / "r");
    std::vector<Reading> readings(1);
    for (int i = 0; i < 3; ++i) {
      sources[0]->poll(readings);
      std::vector<DeviceUse> uses;
      sources[0]->device_use(uses);
      ASSERT_EQ(uses.size(), 1u);
    }
  }
  SourceOptions options;
  options.replay_from = folder / "r";
  const auto replayed = open_replay(options);
  std::vector<Reading> readings(1);
  for (int i = 1; i <= 3; ++i) {
    replayed.at(0)->poll(readings);
    std::vector<DeviceUse> uses;
    replayed[0]->device_use(uses);
    ASSERT_EQ(uses.size(), 1u);
    EXPECT_EQ(uses[0].pid, 100 * i);
    EXPECT_TRUE(same_bits(uses[0].busy_share, 1.0 / 7.0 * i));
  }
}

std::string small_recording() {
  const auto source = fake();
  std::string text(kRecordingHeader);
  text += describe_source(0, *source);
  std::vector<Reading> readings(2);
  source->poll(readings);
  append_poll(0, readings, text);
  return text;
}

TEST(Recording, ATornTailIsAShorterRecording) {
  const std::string text = small_recording();
  const std::string begin = text.substr(0, text.rfind("poll"));
  for (std::size_t n = begin.size(); n < text.size(); ++n)
    ASSERT_TRUE(parse_recording(text.substr(0, n), "r").at(0).readings.empty()) << n;
  EXPECT_EQ(parse_recording(text, "r").at(0).readings.size(), 2u);
}

TEST(Recording, SaysWhereItIsWrong) {
  const std::string text = small_recording();
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    const std::size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    return thrown<InputError>([&] { parse_recording(changed, "r"); });
  };
  EXPECT_THAT(refused("carnot-meter-recording/1", "carnot-meter-recording/2"),
              HasSubstr("r:1: header"));
  EXPECT_THAT(refused("source\t0", "source\t1"), HasSubstr("r:2: source"));
  EXPECT_THAT(refused("\tpackage\t", "\tpaket\t"), HasSubstr("r:3: kind: unknown word"));
  EXPECT_THAT(refused("\tcounter\t", "\tmeter\t"), HasSubstr("r:3: form: counter or gauge"));
  EXPECT_THAT(refused("poll\t0\tok", "poll\t0\tfine"), HasSubstr("r:5: status"));
  EXPECT_THAT(refused("poll\t0\tok\t4294900000", "poll\t0\tok\t04294900000"),
              HasSubstr("r:5: raw"));
  EXPECT_THAT(refused("poll\t0\t", "pool\t0\t"), HasSubstr("r:5: word"));
  EXPECT_THAT(refused("poll\t0\t", "poll\t3\t"), HasSubstr("r:5: source"));
  EXPECT_THAT(refused("\\\\ and", "\\q and"), HasSubstr("r:3: label"));
  EXPECT_THAT(refused("\t0\n", "\t0\t1\n"), HasSubstr("no more fields"));
}

TEST(Recording, AFileThatIsNoneIsRefused) {
  const TemporaryFolder folder;
  SourceOptions options;
  options.replay_from = folder / "none";
  EXPECT_THROW(find_sources(options), IoError);
  write_text(folder / "none", "hello\n");
  EXPECT_THAT(thrown<InputError>([&] { find_sources(options); }), HasSubstr("none:1: header"));
  options.replay_from.clear();
  options.sysfs_root = options.procfs_root = options.dev_root = folder / "nothing";
  options.nvml = options.amd_smi = "none";
  options.record_to = folder / "no folder/file";
  EXPECT_THROW(find_sources(options), IoError);
}

}  // namespace
}  // namespace carnot::meter
