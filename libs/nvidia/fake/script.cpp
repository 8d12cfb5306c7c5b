#include "nvidia/fake/script.hpp"

#include <cstdlib>
#include <sstream>

namespace assay::nvidia::fake {

Script::Script(const char* variable) {
  if (const char* settings = std::getenv(variable)) parse(settings);
}

void Script::parse(const std::string& settings) {
  std::istringstream words(settings);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) settings_[word.substr(0, equals)] = word.substr(equals + 1);
  }
}

void Script::set(const std::string& settings) {
  const std::lock_guard lock(mutex_);
  settings_.clear();
  calls_.clear();
  log_.clear();
  names_.clear();
  named_.clear();
  parse(settings);
}

int Script::called(const std::string& function, const std::string& detail) {
  const std::lock_guard lock(mutex_);
  log_ += function + (detail.empty() ? "" : " ") + detail + "\n";
  const int times = ++calls_[function];
  for (const std::string& name : {function, function + "@" + std::to_string(times)}) {
    if (const auto it = settings_.find(name); it != settings_.end()) return std::atoi(it->second.c_str());
  }
  return 0;
}

long Script::number(const std::string& name, long fallback) const {
  const std::lock_guard lock(mutex_);
  const auto it = settings_.find(name);
  return it == settings_.end() ? fallback : std::atol(it->second.c_str());
}

std::string Script::text(const std::string& name, const std::string& fallback) const {
  const std::lock_guard lock(mutex_);
  const auto it = settings_.find(name);
  return it == settings_.end() ? fallback : it->second;
}

std::string Script::name_of(const char* kind, const void* object) {
  const std::lock_guard lock(mutex_);
  std::string& name = names_[object];
  if (name.empty()) name = kind + std::to_string(++named_[kind]);
  return name;
}

void Script::made(const void* object) {
  const std::lock_guard lock(mutex_);
  held_.insert(object);
}

bool Script::gone(const void* object) {
  const std::lock_guard lock(mutex_);
  names_.erase(object);  // another may get its address
  return held_.erase(object) > 0;
}

long Script::held() const {
  const std::lock_guard lock(mutex_);
  return static_cast<long>(held_.size());
}

std::string Script::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

}  // namespace assay::nvidia::fake
