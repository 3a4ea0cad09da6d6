// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/bmc/http_client.hpp"

#include <array>
#include <cstdlib>

namespace carnot::meter {
namespace {

// Numbers of libcurl's options (curl.h): 0 long, 10000 pointer, 20000 function.
enum Option : int {
  kHttpAuth = 107,
  kNoSignal = 99,
  kTimeoutMs = 155,
  kConnectTimeoutMs = 156,
  kProtocols = 181,
  kWriteData = 10001,
  kUrl = 10002,
  kProxy = 10004,
  kErrorBuffer = 10010,
  kUserAgent = 10018,
  kCaFile = 10065,
  kUser = 10173,
  kPassword = 10174,
  kWriteFunction = 20011,
};
constexpr int kResponseCode = 0x200002;
constexpr int kRedirectUrl = 0x10001f;
constexpr long kBasic = 1, kHttpAndHttps = 3, kInitAll = 3;
constexpr std::size_t kErrorSize = 256;
constexpr std::size_t kLargestBody = std::size_t{1} << 20;
constexpr int kSliceMs = 50;  // longest wait before `stop` is looked at

struct Message {  // CURLMsg
  int kind;       // 1: done
  void* easy;
  union {
    void* any;
    int result;
  } data;
};
static_assert(sizeof(Message) == 24);

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size * count > kLargestBody) return 0;
  text.append(bytes, size * count);
  return size * count;
}

}  // namespace

struct HttpClient::Curl {
  int (*start)(long) = nullptr;
  void* (*easy)() = nullptr;
  void (*end_easy)(void*) = nullptr;
  int (*set)(void*, int, ...) = nullptr;
  int (*get)(void*, int, ...) = nullptr;
  const char* (*words)(int) = nullptr;
  void* (*multi)() = nullptr;
  int (*end_multi)(void*) = nullptr;
  int (*add)(void*, void*) = nullptr;
  int (*remove)(void*, void*) = nullptr;
  int (*perform)(void*, int*) = nullptr;
  int (*poll)(void*, void*, unsigned, int, int*) = nullptr;
  Message* (*next_message)(void*, int*) = nullptr;

  bool bind(const DynamicLibrary& from) noexcept {
    return from.bind(start, "curl_global_init") && from.bind(easy, "curl_easy_init") &&
           from.bind(end_easy, "curl_easy_cleanup") && from.bind(set, "curl_easy_setopt") &&
           from.bind(get, "curl_easy_getinfo") && from.bind(words, "curl_easy_strerror") &&
           from.bind(multi, "curl_multi_init") && from.bind(end_multi, "curl_multi_cleanup") &&
           from.bind(add, "curl_multi_add_handle") &&
           from.bind(remove, "curl_multi_remove_handle") &&
           from.bind(perform, "curl_multi_perform") && from.bind(poll, "curl_multi_poll") &&
           from.bind(next_message, "curl_multi_info_read");
  }
};

HttpClient::HttpClient() : curl_(std::make_unique<Curl>()) {}

std::unique_ptr<HttpClient> HttpClient::load(std::string& error) {
  std::unique_ptr<HttpClient> client(new HttpClient);
  client->library_ = DynamicLibrary("libcurl.so.4");
  Curl& curl = *client->curl_;
  if (!client->library_.is_open()) {
    error = client->library_.error();
    return nullptr;
  }
  // curl_multi_poll is of 7.66 (2019).
  if (!curl.bind(client->library_)) {
    error = "libcurl.so.4: older than 7.66";
    return nullptr;
  }
  if (curl.start(kInitAll) == 0) {
    client->easy_ = curl.easy();
    client->multi_ = curl.multi();
  }
  if (client->easy_ == nullptr || client->multi_ == nullptr) {
    error = "libcurl.so.4 does not start";
    return nullptr;
  }
  void* const easy = client->easy_;
  curl.set(easy, kNoSignal, 1L);
  curl.set(easy, kProtocols, kHttpAndHttps);
  curl.set(easy, kProxy, "");
  curl.set(easy, kUserAgent, "carnot");
  curl.set(easy, kWriteFunction, take);
  if (const char* authorities = std::getenv("SSL_CERT_FILE"); authorities != nullptr)
    curl.set(easy, kCaFile, authorities);
  return client;
}

HttpClient::~HttpClient() {
  if (easy_ != nullptr) curl_->end_easy(easy_);
  if (multi_ != nullptr) curl_->end_multi(multi_);
}

void HttpClient::login(const std::string& user, const std::string& password) {
  if (user.empty()) return;
  curl_->set(easy_, kHttpAuth, kBasic);
  curl_->set(easy_, kUser, user.c_str());
  curl_->set(easy_, kPassword, password.c_str());
}

HttpReply HttpClient::get(const std::string& url, Duration timeout, const std::atomic<bool>& stop) {
  HttpReply reply;
  std::array<char, kErrorSize> words{};
  const long milliseconds = static_cast<long>(timeout.nanoseconds() / 1'000'000);
  curl_->set(easy_, kUrl, url.c_str());
  curl_->set(easy_, kTimeoutMs, milliseconds);
  curl_->set(easy_, kConnectTimeoutMs, milliseconds);
  curl_->set(easy_, kWriteData, static_cast<void*>(&reply.body));
  curl_->set(easy_, kErrorBuffer, words.data());
  int result = -1;  // -1: stopped
  curl_->add(multi_, easy_);
  for (int running = 1; running != 0 && !stop;) {
    if (curl_->perform(multi_, &running) != 0) break;
    if (running != 0 && curl_->poll(multi_, nullptr, 0, kSliceMs, nullptr) != 0) break;
  }
  int left = 0;
  while (const Message* message = curl_->next_message(multi_, &left))
    if (message->kind == 1) result = message->data.result;
  curl_->remove(multi_, easy_);
  if (result == 0) {
    curl_->get(easy_, kResponseCode, &reply.status);
    const char* redirect = nullptr;
    if (curl_->get(easy_, kRedirectUrl, &redirect) == 0 && redirect != nullptr)
      reply.redirect = redirect;
  } else if (result < 0) {
    reply.error = "stopped";
  } else {
    reply.error = words[0] != '\0' ? words.data() : curl_->words(result);
  }
  // What points into this call must not outlive it.
  curl_->set(easy_, kErrorBuffer, static_cast<char*>(nullptr));
  curl_->set(easy_, kWriteData, static_cast<void*>(nullptr));
  return reply;
}

}  // namespace carnot::meter
