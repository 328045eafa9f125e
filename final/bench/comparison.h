#pragma once

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "environment.h"
#include "load.h"
#include "programs.h"
#include "progress.h"

namespace CLI {
class App;
}

namespace reactor::bench {

/// How the rounds of a benchmark are run.
struct RoundOptions {
  unsigned rounds = 5;
  double seconds = 2;  ///< Measured in each round, for each server.
  double warmUpSeconds = 0.5;
  bool pin = true;             ///< Server and client to a core each, if there are two.
  std::optional<Cores> cores;  ///< Which; set by pinClient().

  void addTo(CLI::App& app);

  /// Binds this process to the client's core, if it is to be.
  void pinClient();

  std::string describe() const;  ///< For the heading of the tables.
};

/// What one server did in one round.
struct Sample {
  double perSecond;
  double serverMicroseconds;  ///< Time on its core, for each thing counted.
  double spreadMilliseconds;  ///< See Load::spread(); below zero: there is none.
};

/// Servers that do the same work in turns.
///
/// Every round starts each server anew, one after the other, so that what else the machine is doing
/// meets them all. A ratio is made of two numbers of the same round; the median of these counts.
class Comparison {
 public:
  /// `unit` is what is counted. All servers are compared with each of `baselines`, which are names
  /// of contestants.
  Comparison(std::string title, std::string unit, std::vector<Contestant> contestants,
             std::vector<std::string> baselines);

  void run(const RoundOptions& options, const MakeLoad& makeLoad, Progress& progress);
  void print(std::ostream& out) const;

 private:
  std::vector<double> ratios(const std::string& name, const std::string& baseline) const;

  const std::string title_;
  const std::string unit_;
  const std::vector<Contestant> contestants_;
  const std::vector<std::string> baselines_;
  std::map<std::string, std::vector<Sample>> samples_;  ///< By contestant, one for each round.
};

}  // namespace reactor::bench
