// How a main thread hands connections to another thread without a lock, and how the two then
// mistake one connection for another: by its index in a pool, by its descriptor. And the id that
// helps.
//
// usage: recycled_slot
//
// Prints four scenes, and exits with 1 if one does not go as it tells. The main thread makes the
// connections and releases them. The other thread sleeps in an epoll set, answers, and closes what
// has ended; then it reports that through a pipe, so that the main thread can release the rest.
// Between the closing and the release there is time, and that is all it takes.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/epoll.h"
#include "net/file_descriptor.h"
#include "net/socket.h"

namespace reactor {

namespace {

constexpr int kPatienceMs = 10'000;
constexpr std::chrono::milliseconds kForever{-1};

void expect(bool asTold, const char* what) {
  if (!asTold) throw std::runtime_error(std::string("it did not go as told: ") + what);
}

void awaitReadable(int fd, const char* what) {
  pollfd entry{fd, POLLIN, 0};
  expect(::poll(&entry, 1, kPatienceMs) == 1, what);
}

struct Connection {
  std::string name;
  int fd;  // The server's end.
  uint64_t
      report;  // What the other thread says when it has closed it: an index, a descriptor, an id.
  FileDescriptor peer;  // The client's end.
};

// A thread that sleeps in an epoll set and owns nothing: all it knows of a connection is what comes
// with the event.
class OtherThread {
 public:
  OtherThread() {
    int ends[2];
    if (::pipe(ends) < 0) throwErrno("pipe");
    reports_ = FileDescriptor(ends[0]);
    reportsIn_ = FileDescriptor(ends[1]);
    thread_ = std::thread([this] { run(); });
  }

  ~OtherThread() {
    int ends[2];  // A connection without a name, that ends at once, is the sign to end.
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) std::terminate();
    Connection last{"", ends[0], 0, FileDescriptor()};
    ::close(ends[1]);
    handOver(last);
    thread_.join();
  }

  // Puts `connection` into the epoll set in which the thread sleeps. Nothing is locked and nobody
  // is woken: epoll_ctl(2) is for any thread, and its event wakes the thread when there is one.
  void handOver(Connection& connection) {
    epoll_.add(connection.fd, EPOLLIN, {.ptr = &connection});
  }

  // Reads the next report.
  uint64_t nextReport() {
    awaitReport();
    uint64_t report = 0;
    expect(::read(reports_.get(), &report, sizeof report) == sizeof report, "a report is whole");
    return report;
  }

  void awaitReport() { awaitReadable(reports_.get(), "the other thread reports what has ended"); }

 private:
  void run() {
    while (true) {
      for (const epoll_event& event : epoll_.wait(kForever)) {
        const auto& connection = *static_cast<Connection*>(event.data.ptr);
        char byte;
        if (::recv(connection.fd, &byte, 1, 0) == 1) {
          ::send(connection.fd, &byte, 1, MSG_NOSIGNAL);
          continue;
        }
        const uint64_t report = connection.report;  // Once it is reported, it may be gone.
        const bool last = connection.name.empty();
        ::close(connection.fd);
        if (last) return;
        if (::write(reportsIn_.get(), &report, sizeof report) < 0) std::terminate();
      }
    }
  }

  Epoll epoll_;
  FileDescriptor reports_;
  FileDescriptor reportsIn_;
  std::thread thread_;
};

// The connections, as the main thread keeps them.
using Pool = std::vector<std::unique_ptr<Connection>>;

// What the other thread shall report about a new connection.
using ReportOf = std::function<uint64_t(const Pool&, int fd)>;

uint64_t indexOf(const Pool& pool, int) { return pool.size(); }
uint64_t descriptorOf(const Pool&, int fd) { return static_cast<uint64_t>(fd); }
uint64_t freshId(const Pool&, int) {
  static uint64_t last = 0;
  return ++last;
}

Connection& connect(Pool& pool, OtherThread& other, const std::string& name,
                    const ReportOf& reportOf) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) throwErrno("socketpair");
  const uint64_t report = reportOf(pool, ends[0]);
  pool.emplace_back(new Connection{name, ends[0], report, FileDescriptor(ends[1])});
  other.handOver(*pool.back());
  std::cout << "  " << name << " comes: descriptor " << ends[0] << '\n';
  return *pool.back();
}

// The client's side. False if the connection has been ended.
bool isAnswered(const Connection& connection) {
  if (::send(connection.peer.get(), "?", 1, MSG_NOSIGNAL) < 0) return false;
  awaitReadable(connection.peer.get(), "there is an answer, or an end");
  char byte;
  return ::recv(connection.peer.get(), &byte, 1, 0) == 1;
}

void leave(Connection& connection) {
  connection.peer = FileDescriptor();
  std::cout << "  " << connection.name << " leaves\n";
}

// Those who are left leave, and the other thread closes their descriptors.
void endAll(Pool& pool, OtherThread& other) {
  for (const auto& connection : pool) {
    if (connection->peer.get() < 0) continue;
    connection->peer = FileDescriptor();
    other.nextReport();
  }
}

// As the notes' program releases: the last one moves into the gap.
void releaseAt(Pool& pool, size_t index) {
  std::swap(pool[index], pool.back());
  pool.pop_back();
}

Pool::iterator find(Pool& pool, uint64_t report) {
  return std::find_if(pool.begin(), pool.end(),
                      [=](const auto& connection) { return connection->report == report; });
}

void handOverWithoutALock() {
  std::cout << "1. Connections for another thread, without a lock.\n";
  OtherThread other;
  Pool pool;
  for (const char* name : {"a", "b", "c"}) connect(pool, other, name, descriptorOf);
  for (const auto& connection : pool) {
    expect(isAnswered(*connection), "the other thread answers");
    std::cout << "  " << connection->name << " asks and is answered\n";
  }
  endAll(pool, other);
}

void takeTheIndexForTheConnection() {
  std::cout << "\n2. A connection is its index in the pool.\n";
  OtherThread other;
  Pool pool;
  for (const char* name : {"a", "b", "c"}) connect(pool, other, name, indexOf);
  leave(*pool[0]);
  const uint64_t first = other.nextReport();
  leave(*pool[2]);
  const uint64_t second = other.nextReport();
  std::cout << "  main is told: index " << first << ", then index " << second << '\n';

  releaseAt(pool, first);
  std::cout << "  main releases index " << first << ", and the last one, c, moves there\n";
  expect(second >= pool.size(), "the second index is out of range");
  std::cout << "  main finds no index " << second << ": there are " << pool.size() << '\n'
            << "  c has left, and its slot is taken for ever\n";
  expect(pool[first]->name == "c", "c is still there");
  endAll(pool, other);
}

// a leaves and d comes before the main thread has read that a has left. Returns whether d is still
// there when it has.
bool survivesTheReportAboutAnother(const ReportOf& reportOf) {
  OtherThread other;
  Pool pool;
  leave(connect(pool, other, "a", reportOf));
  other.awaitReport();  // It has closed a's descriptor.
  const Connection& d = connect(pool, other, "d", reportOf);
  expect(d.fd == pool[0]->fd, "d gets the descriptor that a had");
  expect(isAnswered(d), "d is answered at first");

  const uint64_t report = other.nextReport();
  std::cout << "  main is told: " << report << '\n';
  // The newest first, as in a table by that number, where d has replaced a.
  std::reverse(pool.begin(), pool.end());
  const auto found = find(pool, report);
  expect(found != pool.end(), "it finds one");
  std::cout << "  main releases " << (*found)->name << '\n';
  if (found->get() == &d) {
    ::shutdown(d.fd, SHUT_RDWR);
  } else {
    pool.erase(found);
  }
  const bool stays = isAnswered(d);
  endAll(pool, other);
  return stays;
}

void takeTheDescriptorForTheConnection() {
  std::cout << "\n3. A connection is its descriptor.\n";
  expect(!survivesTheReportAboutAnother(descriptorOf), "d is thrown out");
  std::cout << "  d, which has just come, is thrown out in a's place\n";
}

void giveEachConnectionAnId() {
  std::cout << "\n4. A connection is an id that no other will ever have.\n";
  expect(survivesTheReportAboutAnother(freshId), "d stays");
  std::cout << "  d asks and is answered\n";
}

}  // namespace
}  // namespace reactor

int main(int argc, char**) {
  using namespace reactor;
  if (argc > 1) {
    std::cerr << "usage: recycled_slot\n";
    return 2;
  }
  try {
    handOverWithoutALock();
    takeTheIndexForTheConnection();
    takeTheDescriptorForTheConnection();
    giveEachConnectionAnId();
  } catch (const std::exception& error) {
    std::cerr << "recycled_slot: " << error.what() << '\n';
    return 1;
  }
}
