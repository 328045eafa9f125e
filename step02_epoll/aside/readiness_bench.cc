// What it costs to find the one ready descriptor among many idle ones, with select(2), poll(2) and
// epoll(7).
//
// usage: readiness_bench [ROUNDS]
//
// An event is: one byte is written into a socket, the mechanism is asked which descriptor is ready,
// the answer is looked for as a server has to, and the byte is read. The first column is the same
// without asking; the others are what asking adds. The mechanisms take turns, round by round, so
// that a machine that is busy for a while is so for all of them, and the median of the rounds
// counts.
//
// The descriptors are connected AF_UNIX stream sockets. Both ends of an idle pair are watched, so
// 10,000 idle descriptors are 5,000 pairs and not 10,000: a process may open no more than
// RLIMIT_NOFILE, which is raised as far as it goes (getrlimit(2)).
//
// The byte is there before the mechanism is asked, as on a busy server: nobody sleeps. select and
// poll ask all descriptors, and enter themselves in the queue of each one that comes before the
// first ready one; so it is in the middle, which costs the mean. When nothing is ready they enter
// themselves in all the queues, sleep and ask all again, and cost more than is printed here.

#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <deque>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

constexpr int kIdleCounts[] = {10, 100, 1'000, 10'000};
constexpr int kDefaultRounds = 25;
constexpr int kEventsPerRound = 50;
constexpr int kMaxEvents = 1024;  // As in apps/echo_server.cc.

template <typename Integer>
Integer check(Integer result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

// Two connected sockets.
class Pair {
 public:
  Pair() {
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_),
          "socketpair");
  }
  ~Pair() {
    for (const int fd : ends_) ::close(fd);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  int first() const { return ends_[0]; }
  int second() const { return ends_[1]; }

 private:
  int ends_[2];
};

// One way to learn which descriptor is ready, and a pair of its own of which the first end gets
// ready: were it shared, writing to it would have to wake up the epoll set in all the others'
// rounds as well.
class Mechanism {
 public:
  virtual ~Mechanism() = default;
  Mechanism() = default;
  Mechanism(const Mechanism&) = delete;
  Mechanism& operator=(const Mechanism&) = delete;

  // Called once for each descriptor, before the first event. False if it cannot watch this one.
  virtual bool watch(int fd) = 0;
  // Which descriptor is ready.
  virtual int readyOne() = 0;

  const Pair& active() const { return active_; }

  // Microseconds per event, the mean of `kEventsPerRound`.
  double measureRound() {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kEventsPerRound; ++i) {
      char byte = 'x';
      check(::write(active_.second(), &byte, 1), "write");
      if (check(::read(readyOne(), &byte, 1), "read") != 1) throw std::runtime_error("no byte");
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    return took.count() / kEventsPerRound;
  }

 private:
  Pair active_;
};

// Asks nobody: the cost of writing and reading alone.
class Nothing : public Mechanism {
 public:
  bool watch(int) override { return true; }
  int readyOne() override { return active().first(); }
};

class Select : public Mechanism {
 public:
  Select() { FD_ZERO(&watched_); }

  bool watch(int fd) override {
    if (fd >= FD_SETSIZE) return false;  // FD_SET would write past the end: select(2), BUGS.
    FD_SET(fd, &watched_);
    highest_ = std::max(highest_, fd);
    return true;
  }

  int readyOne() override {
    fd_set ready = watched_;  // A copy: select(2) overwrites what it is given.
    check(::select(highest_ + 1, &ready, nullptr, nullptr, nullptr), "select");
    int fd = 0;
    while (!FD_ISSET(fd, &ready)) ++fd;
    return fd;
  }

 private:
  fd_set watched_;
  int highest_ = -1;
};

class Poll : public Mechanism {
 public:
  bool watch(int fd) override {
    watched_.push_back({fd, POLLIN, 0});
    return true;
  }

  int readyOne() override {
    check(::poll(watched_.data(), watched_.size(), -1), "poll");
    size_t i = 0;
    while (watched_[i].revents == 0) ++i;
    return watched_[i].fd;
  }

 private:
  std::vector<pollfd> watched_;
};

class Epoll : public Mechanism {
 public:
  Epoll() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}
  ~Epoll() override { ::close(epoll_); }

  bool watch(int fd) override {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl(ADD)");
    return true;
  }

  int readyOne() override {
    check(::epoll_wait(epoll_, ready_, kMaxEvents, -1), "epoll_wait");
    return ready_[0].data.fd;
  }

 private:
  int epoll_;
  epoll_event ready_[kMaxEvents];
};

bool watchAll(Mechanism& mechanism, const std::deque<Pair>& pairs) {
  return std::all_of(pairs.begin(), pairs.end(), [&](const Pair& pair) {
    return mechanism.watch(pair.first()) && mechanism.watch(pair.second());
  });
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Microseconds per event with `idle` idle descriptors, the median of `rounds`, of Nothing, Select,
// Poll and Epoll; nothing for one that cannot watch so many.
std::vector<std::optional<double>> measure(int idle, int rounds) {
  const auto pairs = static_cast<size_t>(idle / 2);
  std::deque<Pair> before(pairs / 2);
  std::unique_ptr<Mechanism> mechanisms[] = {std::make_unique<Nothing>(),
                                             std::make_unique<Select>(), std::make_unique<Poll>(),
                                             std::make_unique<Epoll>()};
  std::deque<Pair> after(pairs - pairs / 2);

  for (std::unique_ptr<Mechanism>& mechanism : mechanisms) {
    const bool able = watchAll(*mechanism, before) &&
                      mechanism->watch(mechanism->active().first()) && watchAll(*mechanism, after);
    if (!able) mechanism.reset();
  }
  std::vector<double> samples[std::size(mechanisms)];
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < std::size(mechanisms); ++i) {
      if (mechanisms[i]) samples[i].push_back(mechanisms[i]->measureRound());
    }
  }
  std::vector<std::optional<double>> medians;
  for (const std::vector<double>& values : samples) {
    medians.push_back(values.empty() ? std::nullopt : std::optional(median(values)));
  }
  return medians;
}

std::string withComma(int count) {
  const std::string digits = std::to_string(count);
  return digits.size() < 4 ? digits : std::string(digits).insert(digits.size() - 3, ",");
}

std::string withDecimals(double value, int decimals) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals) << value;
  return text.str();
}

void printCells(const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) std::cout << std::setw(12) << cell;
  std::cout << std::endl;
}

void printRow(int idle, const std::vector<std::optional<double>>& medians) {
  const double base = *medians.front();
  std::vector<std::string> cells = {withComma(idle), withDecimals(base, 2)};
  for (size_t i = 1; i < medians.size(); ++i) {
    cells.push_back(medians[i] ? withDecimals(*medians[i] - base, 2) : "n/a");
  }
  const double poll = *medians[medians.size() - 2] - base;
  const double epoll = *medians.back() - base;
  cells.push_back(withDecimals(poll / epoll, 1));
  printCells(cells);
}

// Lets this process open as many descriptors as the system lets it, and returns how many that is.
rlim_t raiseDescriptorLimit() {
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  return limit.rlim_cur;
}

void printTable(int rounds) {
  const rlim_t limit = raiseDescriptorLimit();
  std::cout << "Microseconds per event, median of " << rounds << " rounds of " << kEventsPerRound
            << " events\n\n";
  printCells({"idle", "write+read", "+ select", "+ poll", "+ epoll", "poll/epoll"});
  for (const int idle : kIdleCounts) {
    try {
      printRow(idle, measure(idle, rounds));
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::too_many_files_open) throw;
      std::cout << std::setw(12) << withComma(idle) << "  more descriptors than this process may "
                << "open: " << limit << " (ulimit -Hn)" << std::endl;
    }
  }
}

std::optional<int> parseRounds(std::string_view text) {
  int rounds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, rounds);
  if (error != std::errc() || stop != end || rounds < 1) return std::nullopt;
  return rounds;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<int> rounds = argc > 1 ? parseRounds(argv[1]) : kDefaultRounds;
  if (argc > 2 || !rounds) {
    std::cerr << "usage: readiness_bench [ROUNDS]\n";
    return 2;
  }
  try {
    printTable(*rounds);
  } catch (const std::exception& error) {
    std::cerr << "readiness_bench: " << error.what() << '\n';
    return 1;
  }
}
