// That the table is printed, and the counts in it; the times are for people to judge.

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "../tests/child_process.h"

namespace reactor::testing {
namespace {

// The cells behind `name` in the line of `text` that begins with it: the two times, descriptors,
// full after, KiB, reads of 8 bytes, reads of 1 KiB.
std::vector<std::string> row(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    if (!(words >> first) || first != name) continue;
    std::vector<std::string> cells;
    for (std::string cell; words >> cell;) cells.push_back(cell);
    return cells;
  }
  return {};
}

TEST(WakeupBench, PrintsARowForEachWay) {
  ChildProcess bench(WAKEUP_BENCH_PATH, {"10"});
  EXPECT_EQ(bench.waitForExit(), 0);
  EXPECT_EQ(bench.errors(), "");
  const std::string text = bench.output();
  const std::map<std::string, std::string> descriptors = {
      {"pipe", "2"}, {"socketpair", "2"}, {"eventfd", "1"}};
  for (const auto& [name, count] : descriptors) {
    const std::vector<std::string> cells = row(text, name);
    ASSERT_EQ(cells.size(), 7U) << name << " in\n" << text;
    EXPECT_GT(std::stod(cells[0]), 0) << text;
    EXPECT_GT(std::stod(cells[1]), 0) << text;
    EXPECT_EQ(cells[2], count) << text;
  }
  EXPECT_EQ(row(text, "pipe")[5], "125") << text;  // 1,000 bytes, 8 at a time.
  EXPECT_EQ(row(text, "eventfd")[3], "2^64-2") << text;
  EXPECT_EQ(row(text, "eventfd")[5], "1") << text;  // One read takes the whole count.
}

TEST(WakeupBench, RefusesWhatIsNoNumberOfWakeUps) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"0"}, {"-1"}, {"3x"}, {""}, {"--help"}, {"1", "1"}}) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    EXPECT_EQ(refusal(WAKEUP_BENCH_PATH, arguments), "usage: wakeup_bench [WAKEUPS]\n");
  }
}

}  // namespace
}  // namespace reactor::testing
