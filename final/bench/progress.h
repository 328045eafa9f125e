#pragma once

#include <string>

namespace reactor::bench {

/// Says on stderr what is being done: in one line that is rewritten on a terminal, else in a line
/// for each.
class Progress {
 public:
  Progress();
  ~Progress();  ///< Leaves a clean line behind.
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const std::string& text);

 private:
  const bool terminal_;
};

}  // namespace reactor::bench
