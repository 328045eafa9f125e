// An echo server on libevent, as its users write one: a bufferevent for each client.

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "program.h"

namespace {

using namespace reactor::bench;

void echo(bufferevent* client, void*) {
  bufferevent_write_buffer(client, bufferevent_get_input(client));
}

void endClient(bufferevent* client, short, void*) { bufferevent_free(client); }

void acceptNext(evconnlistener* listener, evutil_socket_t socket, sockaddr*, int, void*) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  bufferevent* client =
      bufferevent_socket_new(evconnlistener_get_base(listener), socket, BEV_OPT_CLOSE_ON_FREE);
  if (client == nullptr) {
    evutil_closesocket(socket);
    return;
  }
  bufferevent_setcb(client, echo, nullptr, endClient, nullptr);
  bufferevent_enable(client, EV_READ | EV_WRITE);
}

uint16_t portOf(evconnlistener* listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(evconnlistener_get_fd(listener), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void serve(uint16_t port) {
  ::signal(SIGPIPE, SIG_IGN);
  event_base* base = event_base_new();
  if (base == nullptr) throw std::runtime_error("event_base_new failed");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  evconnlistener* listener =
      evconnlistener_new_bind(base, acceptNext, nullptr, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE,
                              SOMAXCONN, reinterpret_cast<sockaddr*>(&address), sizeof address);
  if (listener == nullptr) throw std::system_error(errno, std::generic_category(), "bind");
  announce(portOf(listener));
  event_base_dispatch(base);
}

}  // namespace

int main(int argc, char** argv) {
  return runEchoServer("libevent_echo", "Echo server on libevent.", argc, argv, serve);
}
