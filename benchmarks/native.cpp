#include "native.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace assay::bench {

void native_failure(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

std::string file_in(const std::filesystem::path& cache, const std::string& name) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cache)) {
    if (entry.path().filename() == name) return entry.path();
  }
  return "";
}

void* open_native(const std::string& library) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) native_failure(::dlerror());
  return handle;
}

}  // namespace assay::bench
