# Build options, language level, warnings, sanitizers.
option(ASSAY_TESTS "Build the tests" ON)
option(ASSAY_BENCHMARKS "Build benchmarks/" OFF)
option(ASSAY_FUZZERS "Build the libFuzzer targets (clang)" OFF)
option(ASSAY_WERROR "Warnings are errors" ON)
set(ASSAY_SANITIZER "" CACHE STRING "Value of -fsanitize for everything, or empty")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

# The build tree is laid out as an installation is, so that programs find plugins and worker the same way in both.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(ASSAY_PLUGIN_DIR ${CMAKE_BINARY_DIR}/lib/assay)
set(ASSAY_LIBEXEC_DIR ${CMAKE_BINARY_DIR}/libexec/assay)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # By the compiler's list of headers, instead of preprocessing every file itself first: a cold build is a quarter shorter.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
# Clones in different folders share ccache's entries, and no machine path lands in a binary.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

add_library(assay_flags INTERFACE)
target_compile_options(assay_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # GCC 12 sees overlaps in std::string that are not there (PR 105329)
if(ASSAY_WERROR)
  target_compile_options(assay_flags INTERFACE -Werror)
endif()
if(ASSAY_SANITIZER)
  # initial-exec: GCC 12's LeakSanitizer takes a loaded library's thread-local block at 16 bytes into a page for one of an old
  # glibc with a header before it, and crashes; a static block it knows.
  add_compile_options(-fsanitize=${ASSAY_SANITIZER} -fno-omit-frame-pointer -fno-sanitize-recover=all -ftls-model=initial-exec)
  add_link_options(-fsanitize=${ASSAY_SANITIZER})
endif()
if(ASSAY_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
