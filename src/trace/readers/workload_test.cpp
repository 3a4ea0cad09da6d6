// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/readers/workload.hpp"

#include <cstdlib>
#include <filesystem>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/input/unpack.hpp"

namespace carnot::inline trace {
namespace {

std::string shared_data(const std::string& path) {
  const char* folder = std::getenv("CARNOT_SHARED_DATA");
  return (std::filesystem::path(folder ? folder : CARNOT_SOURCE_DIR "/../shared/data") / path)
      .string();
}

Duration seconds(double s) { return Duration::from(s * second); }

std::string message_of(const std::string& text, const WorkloadOptions& options = {}) {
  try {
    parse_workload(text, "t", options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

/// Node-seconds of all jobs.
double work(const Workload& w) {
  double sum = 0;
  for (std::size_t j = 0; j < w.size(); ++j) sum += w.jobs[j].nodes * w.length[j].time().in(second);
  return sum;
}

TEST(Workload, ContractColumnsInAnyOrder) {
  const Workload w = parse_workload(
      "nodes,arrival_s,deadline_s,runtime_s,power_w,estimate_s\n"
      "2,100,400,60.5,500,90\n"
      "1,40,,30,,\n",
      "t");
  ASSERT_EQ(w.size(), 2u);
  // By arrival, which keeps the trace's zero.
  EXPECT_EQ(w.jobs[0].arrival, seconds(40));
  EXPECT_EQ(w.jobs[0].allowed, kNoDeadline);
  EXPECT_EQ(w.jobs[0].estimate, seconds(30));
  EXPECT_EQ(w.jobs[0].power_mw, -1);
  EXPECT_EQ(w.jobs[1].arrival, seconds(100));
  EXPECT_EQ(w.length[1], seconds(60.5));
  EXPECT_EQ(w.jobs[1].allowed, seconds(300));
  EXPECT_EQ(w.jobs[1].estimate, seconds(90));
  EXPECT_EQ(w.jobs[1].power_mw, 250'000);  // of each of two nodes
}

TEST(Workload, JobsOfOneInstantKeepTheirOrder) {
  const Workload w = parse_workload("arrival_s,runtime_s,nodes\n5,1,1\n5,1,2\n5,1,3\n0,1,4\n", "t");
  ASSERT_EQ(w.size(), 4u);
  EXPECT_EQ(w.jobs[0].nodes, 4);
  for (int i = 1; i < 4; ++i) EXPECT_EQ(w.jobs[static_cast<std::size_t>(i)].nodes, i);
}

TEST(Workload, StandardFormatTakesRequestsWhereAllocationsAreMissing) {
  const Workload w = parse_workload(
      "; Version: 2.2\n;\n"
      "  1  10 -1  60  8 -1 -1 -1 120 -1 1 1 1 -1 -1 -1 -1 -1\n"
      "2 20 5 30 -1 -1 -1 4 -1 -1 1 1 1 -1 -1 -1 -1 -1\n"
      "3 30 5 -1 4 -1 -1 4 -1 -1 0 1 1 -1 -1 -1 -1 -1\n"     // never ran
      "4 30 5 10 -1 -1 -1 -1 -1 -1 0 1 1 -1 -1 -1 -1 -1\n",  // on nothing
      "t");
  ASSERT_EQ(w.size(), 2u);
  EXPECT_EQ(w.jobs[0].nodes, 8);
  EXPECT_EQ(w.jobs[0].estimate, seconds(120));
  EXPECT_EQ(w.jobs[1].nodes, 4);
  EXPECT_EQ(w.jobs[1].arrival, seconds(20));
  EXPECT_EQ(w.jobs[1].estimate, w.length[1]);
  EXPECT_NE(w.provenance.find("2 without length or nodes left out"), std::string::npos);
}

TEST(Workload, DatesNeedNotBeInOrder) {
  const Workload w = parse_workload(
      "timestamp,duration,num_gpus,gpu_time,cluster\n"
      "2017-10-09 07:01:55,66.0,1,66.0,a\n"
      "2017-10-08 07:01:55,10.0,8,80.0,b\n",
      "t");
  ASSERT_EQ(w.size(), 2u);
  EXPECT_EQ(w.jobs[0].nodes, 8);
  EXPECT_EQ(w.jobs[1].arrival, seconds(86400));
}

TEST(Workload, TheUnitOfTimeIsReadOffTheValuesOrAskedFor) {
  const std::string hours = "arrival_time,length,cpus\n0.0,0.75,4\n1.0,2.0,1\n";
  EXPECT_EQ(parse_workload(hours, "t").length[0], seconds(2700));
  const std::string late = "arrival_time,length,cpus\n0.0,6302.5,1\n604756.0,10.0,1\n";
  EXPECT_EQ(parse_workload(late, "t").length[0], seconds(6302.5));
  const std::string either = "arrival_time,length,cpus\n0.0,3.0,4\n60.0,2.0,1\n";
  EXPECT_NE(message_of(either).find("hours or seconds"), std::string::npos);
  WorkloadOptions stated;
  stated.time_unit = seconds(60);
  EXPECT_EQ(parse_workload(either, "t", stated).length[0], seconds(180));
  EXPECT_EQ(parse_workload(late, "t", stated).length[0], seconds(60 * 6302.5));
}

TEST(Workload, EveryMistakeIsNamedWithItsLine) {
  const std::string many = message_of(
      "arrival_s,runtime_s,nodes,deadline_s,power_w\n"
      "-1,1,1,,\n"
      "0,x,1,,\n"
      "0,1,1,,,\n"
      "5,1,1,4,\n"
      "0,1,1,,-2\n"
      "nan,1,1,,\n"
      "0,inf,1,,\n");
  for (const char* words : {"t:2: arrival_s:", "t:3: runtime_s:", "t:4: ", "t:5: deadline_s:",
                            "t:6: power_w:", "t:7: arrival_s:", "t:8: runtime_s:"})
    EXPECT_NE(many.find(words), std::string::npos) << words << "\n" << many;
  EXPECT_NE(message_of("arrival_s,runtime_s,nodes\n0,1,1.5\n").find("t:2: nodes:"),
            std::string::npos);
  EXPECT_NE(message_of("arrival_s,runtime_s,nodes\n0,1,99999999\n").find("t:2: nodes:"),
            std::string::npos);
  EXPECT_NE(message_of("arrival_s,runtime_s,nodes\n0,5e9,1\n").find("t:2: times:"),
            std::string::npos);
  EXPECT_NE(message_of("arrival_s,runtime,nodes\n").find("runtime_s"), std::string::npos);
  EXPECT_NE(message_of("a,b,c\n0,1,1\n").find("t:1: "), std::string::npos);
  EXPECT_NE(message_of("1 2 3\n").find("18 fields, not 3"), std::string::npos);
  EXPECT_NE(message_of("1 2 3 4 5 x 7 8 9 10 11 12 13 14 15 16 17 18\n").find("t:1: field 6:"),
            std::string::npos);
  EXPECT_NE(message_of("").find("empty"), std::string::npos);
  EXPECT_NE(message_of("arrival_s,runtime_s,nodes\n0,0,1\n").find("at least one job"),
            std::string::npos);
  EXPECT_THROW(read_workload("/no/such/trace.csv"), InputFileError);
  EXPECT_THROW(workload_format("cvs"), InputError);
}

TEST(Workload, OnlyTheFirstJobsWhereThatIsAsked) {
  WorkloadOptions options;
  options.most = 2;
  const std::string text = "arrival_s,runtime_s,nodes\n0,1,1\n1,1,1\n2,1,1\n";
  EXPECT_EQ(parse_workload(text, "t", options).size(), 2u);
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(Workload, HeadersOfTheStandardFormatAreRead) {
  const std::string header =
      "; Version: 2.2\n;UnixStartTime:  1704103200\n; TimeZoneString: Europe/Paris\n"
      "; MaxNodes: 4\n; MaxProcs: 512 (128 a node)\n; Note: MaxNodes: 9\n";
  const std::string jobs =
      "1 20 0 60 128 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1 ; restarted\n"
      "2 30 0 60 129 -1 -1 1 -1 -1 1 1 1 1 1 -1 1 10\n";
  const Workload w = parse_workload("\xef\xbb\xbf" + header + jobs, "t");
  ASSERT_EQ(w.size(), 2u);
  EXPECT_EQ(w.jobs[0].nodes, 1);
  EXPECT_EQ(w.jobs[1].nodes, 2);
  ASSERT_TRUE(w.start);
  EXPECT_EQ(w.start->iso8601(), "2024-01-01T10:00:00Z");
  EXPECT_EQ(w.jobs[0].arrival, seconds(20));
  EXPECT_THAT(w.provenance, ::testing::HasSubstr("128 processors a node, as it says"));
  EXPECT_THAT(w.provenance,
              ::testing::HasSubstr("began 2024-01-01T10:00:00Z (local time Europe/Paris)"));
  EXPECT_THAT(w.provenance, ::testing::HasSubstr("1 dependencies between jobs"));
  WorkloadOptions told;
  told.cores_per_node = 64;
  EXPECT_EQ(parse_workload(header + jobs, "t", told).jobs[0].nodes, 2);
  const Workload bare = parse_workload(jobs, "t");
  EXPECT_EQ(bare.jobs[1].nodes, 129);
  EXPECT_FALSE(bare.start);
}

TEST(Workload, CellsMayBeQuoted) {
  const Workload w =
      parse_workload("\"arrival_s\",\"runtime_s\",nodes\n\"5\", \"60\" ,2\n7,60,\"3\"\n", "t");
  ASSERT_EQ(w.size(), 2u);
  EXPECT_EQ(w.jobs[0].nodes, 2);
  EXPECT_EQ(w.length[0], seconds(60));
  EXPECT_EQ(w.jobs[1].nodes, 3);
}

TEST(Workload, GzipIsReadAsTheTextInIt) {
  const std::string swf = "; c\n1 10 -1 60 8 -1 -1 -1 120 -1 1 1 1 -1 -1 -1 -1 -1\n";
  const std::string csv = "arrival_s,runtime_s,nodes\n0,1,1\n";
  EXPECT_EQ(parse_workload(gzipped(swf), "t").jobs[0].nodes, 8);
  EXPECT_EQ(parse_workload(gzipped(csv), "t").size(), 1u);
}

TEST(Workload, RealFilesHaveTheirPublishedSizes) {
  const std::string azure = shared_data("gaia-job-traces/src/cluster_traces/azure-100k.csv");
  if (!std::filesystem::exists(azure)) GTEST_SKIP() << azure << " is not there";
  const Workload hours = read_workload(azure);
  EXPECT_EQ(hours.size(), 99'988u);
  EXPECT_NEAR(work(hours) / 3600 / 1e6, 1.41, 0.005);  // million cpu-hours
  EXPECT_NEAR(hours.jobs.back().arrival.time().in(hour), 8759.9167, 1e-3);
  const Workload pai = read_workload(shared_data("gaia-job-traces/src/cluster_traces/pai_1k.csv"));
  EXPECT_EQ(pai.size(), 1000u);
  EXPECT_EQ(pai.length[0], seconds(6302));
}

TEST(Workload, ARealZipArchive) {
  const std::string nasa = shared_data("swf-traces/NASA-iPSC-1993-3.1-cln.swf.zip");
  if (!std::filesystem::exists(nasa)) GTEST_SKIP() << nasa << " is not there";
  const Workload w = read_workload(nasa);
  EXPECT_NEAR(static_cast<double>(w.size()), 18'239, 200);  // some ran for no time
  std::int32_t widest = 0;
  for (const JobRequest& job : w.jobs) widest = std::max(widest, job.nodes);
  EXPECT_EQ(widest, 128);

  const std::string bytes = read_file(nasa);
  EXPECT_EQ(unzip(bytes, "t").size(), 1'678'956u);
  // Damage anywhere is seen, or changes nothing.
  const std::string sound = unzip(bytes, "t");
  for (std::size_t i = 0; i < bytes.size(); i += 4999) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x11);
    try {
      EXPECT_EQ(unzip(broken, "t"), sound) << i;
    } catch (const InputError&) {
    }
  }
  for (std::size_t cut : {std::size_t{4}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1})
    EXPECT_THROW(unzip(std::string_view(bytes).substr(0, cut), "t"), InputError) << cut;
}

}  // namespace
}  // namespace carnot::inline trace
