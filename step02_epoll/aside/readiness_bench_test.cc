// That the table is printed; what stands in it is for people to judge.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "../tests/child_process.h"

namespace reactor::testing {
namespace {

// The table, for one round.
std::string table(std::optional<rlim_t> descriptorLimit = std::nullopt) {
  ChildProcess bench(READINESS_BENCH_PATH, {"1"}, descriptorLimit);
  EXPECT_EQ(bench.waitForExit(), 0);
  EXPECT_EQ(bench.errors(), "");
  return bench.output();
}

// What stands after `idle` in the line of `text` that begins with it.
std::string row(const std::string& text, const std::string& idle) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line.erase(0, line.find_first_not_of(' '));
    if (line.rfind(idle + ' ', 0) == 0) return line.substr(idle.size());
  }
  return "no such line";
}

// How many numbers `text` begins with.
int numbers(const std::string& text) {
  std::istringstream words(text);
  int count = 0;
  for (double number; words >> number;) ++count;
  return count;
}

TEST(ReadinessBench, PrintsARowForEachNumberOfIdleDescriptors) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 10'100) GTEST_SKIP() << "the descriptor limit is too low";
  const std::string text = table();
  for (const char* idle : {"10", "100", "1,000"}) EXPECT_EQ(numbers(row(text, idle)), 5) << text;

  const std::string last = row(text, "10,000");
  const std::size_t select = last.find("n/a");
  ASSERT_NE(select, std::string::npos) << text;
  EXPECT_EQ(numbers(last.substr(0, select)), 1) << text;
  EXPECT_EQ(numbers(last.substr(select + 3)), 3) << text;
}

TEST(ReadinessBench, LeavesOutARowThatTheDescriptorLimitForbids) {
  const std::string text = table(200);
  for (const char* idle : {"10", "100"}) EXPECT_EQ(numbers(row(text, idle)), 5) << text;
  for (const char* idle : {"1,000", "10,000"}) {
    EXPECT_NE(row(text, idle).find("more descriptors than this process may open: 200"),
              std::string::npos)
        << text;
  }
}

TEST(ReadinessBench, RefusesWhatIsNoNumberOfRounds) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"0"}, {"-1"}, {"3x"}, {""}, {"--help"}, {"1", "1"}}) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    EXPECT_EQ(refusal(READINESS_BENCH_PATH, arguments), "usage: readiness_bench [ROUNDS]\n");
  }
}

}  // namespace
}  // namespace reactor::testing
