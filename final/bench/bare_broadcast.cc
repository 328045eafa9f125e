// The yardstick for the chat server: a bare level-triggered epoll loop, one thread, that sends
// every message to all clients. It speaks the wire format of muduo's chat example: 4 bytes with the
// payload's length, big-endian, then the payload.

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "frame.h"
#include "program.h"
#include "sockets.h"

namespace {

using namespace reactor::bench;

enum class Flush {
  kMessage,  // One send for each message and client.
  kTurn,     // What a turn of the loop has for a client goes out in one send at its end.
};

constexpr uint32_t kMaxPayload = 64 * 1024;

struct Client {
  FileDescriptor socket;
  size_t index;  // In the list of clients.
  std::string input;
  std::string output;
  bool waitsToWrite = false;
  bool gone = false;
};

class BroadcastServer {
 public:
  BroadcastServer(uint16_t port, Flush flush) : listener_(listenOnLoopback(port)), flush_(flush) {
    epoll_.add(listener_, EPOLLIN, nullptr);
  }

  void run() {
    announce(portOf(listener_));
    for (;;) turn();
  }

 private:
  void turn() {
    for (const epoll_event& event : epoll_.wait(std::chrono::milliseconds(-1))) {
      auto* client = static_cast<Client*>(event.data.ptr);
      if (client == nullptr) {
        acceptAll();
        continue;
      }
      if ((event.events & EPOLLOUT) != 0) flushOutput(*client);
      if ((event.events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) read(*client);
    }
    if (flush_ == Flush::kTurn && written_) {
      for (Client* client : clients_) flushOutput(*client);
      written_ = false;
    }
    // Not before: events and the list of clients still pointed to them.
    for (Client* client : gone_) remove(client);
    gone_.clear();
  }

  void acceptAll() {
    for (;;) {
      FileDescriptor socket = acceptClient(listener_);
      if (!socket.valid()) return;
      auto* client = new Client{std::move(socket), clients_.size(), {}, {}};
      clients_.push_back(client);
      epoll_.add(client->socket, EPOLLIN, client);
    }
  }

  void read(Client& client) {
    const ssize_t n = ::recv(client.socket.get(), readBuffer_.data(), readBuffer_.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return markGone(client);
    const std::string_view bytes(readBuffer_.data(), static_cast<size_t>(n));
    // Most often whole frames come, and need not be copied.
    if (client.input.empty()) {
      client.input.assign(bytes.substr(broadcastFrames(client, bytes)));
    } else {
      client.input.append(bytes);
      client.input.erase(0, broadcastFrames(client, client.input));
    }
  }

  // Returns how many bytes the whole frames at the front of `bytes` have.
  size_t broadcastFrames(Client& sender, std::string_view bytes) {
    size_t done = 0;
    while (!sender.gone && bytes.size() - done >= kHeaderSize) {
      uint32_t wire;
      std::memcpy(&wire, bytes.data() + done, sizeof wire);
      const uint32_t payload = ntohl(wire);
      if (payload == 0 || payload > kMaxPayload) {
        markGone(sender);
        break;
      }
      if (bytes.size() - done < kHeaderSize + payload) break;
      broadcast(bytes.substr(done, kHeaderSize + payload));
      done += kHeaderSize + payload;
    }
    return done;
  }

  void broadcast(std::string_view frame) {
    written_ = true;
    for (Client* client : clients_) {
      if (flush_ == Flush::kMessage && client->output.empty()) {
        frameToSocket(*client, frame);
      } else {
        client->output.append(frame);
      }
    }
  }

  void frameToSocket(Client& client, std::string_view frame) {
    const size_t sent = send(client, frame);
    if (sent == frame.size()) return;
    client.output.append(frame.substr(sent));
    waitToWrite(client, true);
  }

  void flushOutput(Client& client) {
    if (client.output.empty() || client.gone) return;
    client.output.erase(0, send(client, client.output));
    waitToWrite(client, !client.output.empty());
  }

  // How many of the bytes the kernel took.
  size_t send(Client& client, std::string_view bytes) {
    const ssize_t n = ::send(client.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) markGone(client);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }

  void waitToWrite(Client& client, bool wait) {
    if (wait == client.waitsToWrite || client.gone) return;
    client.waitsToWrite = wait;
    epoll_.modify(client.socket, wait ? EPOLLIN | EPOLLOUT : EPOLLIN, &client);
  }

  void markGone(Client& client) {
    if (client.gone) return;
    client.gone = true;
    gone_.push_back(&client);
  }

  void remove(Client* client) {
    clients_.back()->index = client->index;
    clients_[client->index] = clients_.back();
    clients_.pop_back();
    delete client;
  }

  FileDescriptor listener_;
  const Flush flush_;
  EpollSet epoll_;
  std::vector<Client*> clients_;
  std::vector<Client*> gone_;
  bool written_ = false;  // In this turn.
  std::array<char, 64 * 1024> readBuffer_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Chat server: a bare epoll loop.", "bare_broadcast");
  uint16_t port = 0;
  std::string flush = "message";
  app.add_option("PORT", port, "Port on 127.0.0.1; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--flush", flush, "When output is sent: with every message, or once a turn")
      ->check(CLI::IsMember({"message", "turn"}))
      ->capture_default_str();
  return runProgram(app, argc, argv, [&] {
    BroadcastServer(port, flush == "turn" ? Flush::kTurn : Flush::kMessage).run();
  });
}
