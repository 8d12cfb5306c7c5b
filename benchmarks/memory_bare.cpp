// The other arm of memory_overhead: a process that maps a plugin and nothing of Assay, and says its own PSS in bytes.
#include <dlfcn.h>

#include <cstdio>
#include <cstring>

int main(int count, char** arguments) {
  if (count != 2 || dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) == nullptr) return 1;
  std::FILE* const file = std::fopen("/proc/self/smaps_rollup", "r");
  if (file == nullptr) return 1;
  char line[256];
  unsigned long long kibibytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, "Pss:", 4) == 0) std::sscanf(line + 4, "%llu", &kibibytes);
  }
  std::fclose(file);
  std::printf("%llu\n", kibibytes * 1024);
  return kibibytes > 0 ? 0 : 1;
}
