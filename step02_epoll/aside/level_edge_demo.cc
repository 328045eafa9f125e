// Shows when epoll_wait(2) wakes a reader up: level-triggered, for as long as there is something to
// read; edge-triggered (EPOLLET), only when something new has come.
//
// usage: level_edge_demo
//
// Prints three scenes, and exits with 1 if the kernel does not do what they tell (epoll(7),
// "Level-triggered and edge-triggered").

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace {

constexpr int kMessage = 10;      // Bytes that are sent at first.
constexpr int kPiece = 4;         // Bytes that the reader takes with one recv(2).
constexpr int kPatienceMs = 100;  // Nothing after that is nothing for ever: no one else sends.

int check(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

void expect(bool asTold, const char* what) {
  if (!asTold) throw std::runtime_error(std::string("the kernel does not behave as told: ") + what);
}

// A pair of connected sockets, one that is written to and one that epoll watches for its reader.
// Prints what happens to it.
class Connection {
 public:
  // `events` are those of epoll_ctl(2): EPOLLIN, with EPOLLET or without.
  explicit Connection(uint32_t events) {
    int pair[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), "socketpair");
    writer_ = pair[0];
    reader_ = pair[1];
    epoll_ = check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    epoll_event event{};
    event.events = events;
    check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, reader_, &event), "epoll_ctl");
  }

  ~Connection() {
    for (const int fd : {epoll_, reader_, writer_}) ::close(fd);
  }

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(int count) {
    const std::string bytes(static_cast<size_t>(count), 'x');
    expect(::send(writer_, bytes.data(), bytes.size(), 0) == count, "it takes a few bytes at once");
    std::cout << "  " << count << " bytes are sent: " << left() << " in the socket\n";
  }

  // Calls epoll_wait(2). Returns whether it woke us up; false after `kPatienceMs`.
  bool wakesUp() {
    epoll_event event{};
    if (check(::epoll_wait(epoll_, &event, 1, kPatienceMs), "epoll_wait") == 0) {
      std::cout << "  epoll_wait sleeps, with " << left() << " bytes in the socket\n";
      return false;
    }
    expect(event.events == EPOLLIN, "epoll_wait says EPOLLIN and nothing else");
    ++wakeUps_;
    std::cout << "  wake-up " << wakeUps_ << ": epoll_wait says EPOLLIN\n";
    return true;
  }

  // Calls recv(2) once. Returns whether there was something to read; false for EAGAIN.
  bool readPiece() {
    char bytes[kPiece];
    const ssize_t n = ::recv(reader_, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EAGAIN) {
      std::cout << "    recv says EAGAIN\n";
      return false;
    }
    expect(n > 0, "recv returns what has been sent");
    std::cout << "    recv returns " << n << " bytes, " << left() << " are left\n";
    return true;
  }

  int wakeUps() const { return wakeUps_; }

  // How many bytes are there to read.
  int left() const {
    int count = 0;
    check(::ioctl(reader_, FIONREAD, &count), "ioctl(FIONREAD)");
    return count;
  }

 private:
  int writer_ = -1;
  int reader_ = -1;
  int epoll_ = -1;
  int wakeUps_ = 0;
};

void levelTriggered() {
  std::cout << "1. Level-triggered; the reader calls recv once per wake-up.\n";
  Connection connection(EPOLLIN);
  connection.send(kMessage);
  while (connection.wakesUp()) connection.readPiece();
  expect(connection.wakeUps() == 3, "it wakes us up until all is read");
  expect(connection.left() == 0, "all is read");
}

void edgeTriggered() {
  std::cout << "\n2. Edge-triggered; the reader calls recv until EAGAIN.\n";
  Connection connection(EPOLLIN | EPOLLET);
  connection.send(kMessage);
  while (connection.wakesUp()) {
    while (connection.readPiece()) continue;
  }
  expect(connection.wakeUps() == 1, "it wakes us up once");
  expect(connection.left() == 0, "all is read");
}

void edgeTriggeredWithTheWrongReader() {
  std::cout << "\n3. Edge-triggered; the reader calls recv once per wake-up, as in scene 1.\n";
  Connection connection(EPOLLIN | EPOLLET);
  connection.send(kMessage);
  while (connection.wakesUp()) connection.readPiece();
  expect(connection.wakeUps() == 1, "it does not tell of the rest");
  expect(connection.left() == kMessage - kPiece, "the rest stays in the socket");

  connection.send(kPiece);
  while (connection.wakesUp()) connection.readPiece();
  expect(connection.wakeUps() == 2, "it wakes us up once for what is new");
  expect(connection.left() == kMessage - kPiece, "the backlog stays as long as it was");
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::cerr << "usage: level_edge_demo\n";
    return 2;
  }
  try {
    levelTriggered();
    edgeTriggered();
    edgeTriggeredWithTheWrongReader();
  } catch (const std::exception& error) {
    std::cerr << "level_edge_demo: " << error.what() << '\n';
    return 1;
  }
}
