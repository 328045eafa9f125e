#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netdb.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "net/inet_address.h"

namespace reactor {
namespace {

TEST(InetAddress, DefaultIsAnyAddressAndAnyPort) {
  EXPECT_EQ("0.0.0.0:0", InetAddress().toString());
}

TEST(InetAddress, PrintsWhatItParses) {
  for (const std::string text : {"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80",
                                 "[::]:0", "[2001:db8::7]:9877"}) {
    EXPECT_EQ(text, InetAddress::parse(text).toString());
  }
}

TEST(InetAddress, TakesWhatTheKernelFilledIn) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(9877);
  v4.sin_addr.s_addr = htonl(0x7f000001);
  EXPECT_EQ("127.0.0.1:9877", InetAddress(reinterpret_cast<const sockaddr*>(&v4)).toString());
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(9877);
  v6.sin6_addr = in6addr_loopback;
  EXPECT_EQ("[::1]:9877", InetAddress(reinterpret_cast<const sockaddr*>(&v6)).toString());
}

TEST(InetAddress, IsWhatTheKernelTakes) {
  const InetAddress address = InetAddress::parse("127.0.0.1:9877");
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.get());
  EXPECT_EQ(AF_INET, v4->sin_family);
  EXPECT_EQ(htons(9877), v4->sin_port);
  EXPECT_EQ(htonl(0x7f000001), v4->sin_addr.s_addr);
}

TEST(InetAddress, TellsItsFamilyPortAndSize) {
  const InetAddress v4 = InetAddress::parse("127.0.0.1:9877");
  EXPECT_EQ(AF_INET, v4.family());
  EXPECT_EQ(9877, v4.port());
  EXPECT_EQ(sizeof(sockaddr_in), v4.size());
  const InetAddress v6 = InetAddress::parse("[::1]:9877");
  EXPECT_EQ(AF_INET6, v6.family());
  EXPECT_EQ(9877, v6.port());
  EXPECT_EQ(sizeof(sockaddr_in6), v6.size());
}

TEST(InetAddress, IsEqualIfFamilyAddressAndPortAre) {
  EXPECT_EQ(InetAddress::parse("127.0.0.1:80"), InetAddress::parse("127.0.0.1:80"));
  EXPECT_EQ(InetAddress::parse("[::1]:80"), InetAddress::parse("[::1]:80"));
  EXPECT_FALSE(InetAddress::parse("127.0.0.1:80") == InetAddress::parse("127.0.0.1:81"));
  EXPECT_FALSE(InetAddress::parse("127.0.0.1:80") == InetAddress::parse("127.0.0.2:80"));
  EXPECT_FALSE(InetAddress::parse("[::1]:80") == InetAddress::parse("[::2]:80"));
  EXPECT_FALSE(InetAddress::parse("0.0.0.0:80") == InetAddress::parse("[::]:80"));
}

TEST(InetAddress, OfAnotherInterfaceIsAnother) {
  // Link-local addresses are the same on every interface: only the scope tells them apart.
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_scope_id = 1;
  const InetAddress one(reinterpret_cast<const sockaddr*>(&v6));
  v6.sin6_scope_id = 2;
  const InetAddress two(reinterpret_cast<const sockaddr*>(&v6));
  EXPECT_EQ(one, one);
  EXPECT_FALSE(one == two);
}

TEST(InetAddress, RefusesWhatIsNoAddress) {
  for (const std::string text : {"",
                                 ":",
                                 "80",
                                 "127.0.0.1",
                                 "127.0.0.1:",
                                 ":80",
                                 "::1:80",
                                 "[::1]",
                                 "[]:80",
                                 "127.0.0.1:port",
                                 "127.0.0.1:-1",
                                 "127.0.0.1:+1",
                                 "127.0.0.1:65536",
                                 "127.0.0.1:4294967376",
                                 "127.0.0.1:80 ",
                                 "127.0.0.1: 80",
                                 "127.0.0.1:8o",
                                 "[::1]:65536",
                                 "[::1:80",
                                 "::1]:80",
                                 "[::1]80",
                                 "[127.0.0.1]:80",
                                 "[localhost]:80"}) {
    EXPECT_THROW(InetAddress::parse(text), std::invalid_argument) << text;
  }
}

TEST(InetAddress, NamesTheHostThatDoesNotExist) {
  try {
    InetAddress::parse("no-such-host.invalid:80");  // Nobody will ever have it: RFC 6761, 6.4.
    FAIL() << "found it";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string::npos, std::string(error.what()).find("no-such-host.invalid"));
  }
}

TEST(InetAddress, NamesTextAndPortThatItRefuses) {
  for (const std::string text : {"nothing", "127.0.0.1:notaport"}) {
    try {
      InetAddress::parse(text);
      ADD_FAILURE() << "took " << text;
    } catch (const std::invalid_argument& error) {
      const std::string bad = text.substr(text.rfind(':') + 1);
      EXPECT_NE(std::string::npos, std::string(error.what()).find(bad)) << error.what();
    }
  }
}

TEST(ParsePort, TakesEveryPortAndNothingElse) {
  for (uint32_t port = 0; port <= 65535; ++port) {
    ASSERT_EQ(port, parsePort(std::to_string(port)));
  }
  for (const std::string text :
       {"", "-1", "65536", "131072", "99999999999", "1.5", "0x50", "8 0"}) {
    EXPECT_THROW(parsePort(text), std::invalid_argument) << text;
  }
}

TEST(InetAddress, ResolvesAName) {
  if (::gethostbyname("localhost") == nullptr) GTEST_SKIP() << "it is not in /etc/hosts";
  EXPECT_EQ(80, InetAddress::resolve("localhost", 80).port());
}

TEST(InetAddress, PrintsTheInterfaceOfALinkLocalAddress) {
  const unsigned index = ::if_nametoindex("lo");
  if (index == 0) GTEST_SKIP() << "no interface lo";
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(80);
  v6.sin6_scope_id = index;
  ASSERT_EQ(1, ::inet_pton(AF_INET6, "fe80::1", &v6.sin6_addr));
  const InetAddress address(reinterpret_cast<const sockaddr*>(&v6));
  EXPECT_EQ("[fe80::1%lo]:80", address.toString());
  EXPECT_EQ(address, InetAddress::parse(address.toString()));
}

TEST(InetAddress, RefusesAHostWithNul) {
  EXPECT_THROW(InetAddress::resolve(std::string("127.0.0.1\0.evil", 15), 80), std::runtime_error);
}

}  // namespace
}  // namespace reactor
