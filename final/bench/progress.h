#pragma once

#include <string>

namespace reactor::bench {

/// Says on stderr what is being measured: in one line that is rewritten on a terminal; elsewhere in
/// a line for each result.
class Progress {
 public:
  Progress();
  ~Progress();  ///< Leaves a clean line behind.
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin(const std::string& what);
  void end(const std::string& result);

 private:
  void rewriteLine(const std::string& text) const;

  const bool terminal_;
};

}  // namespace reactor::bench
