#include "base/file.hpp"
#include "engine/session_impl.hpp"

namespace assay {
namespace engine {

Session load(const std::filesystem::path& path, const Params& params, const LoadSettings& settings) {
  const auto begin = std::chrono::steady_clock::now();
  const model::Model model = model::read_model(path, params.shapes);
  Session session = open_model(model, params, settings);
  session.impl().load_time = std::chrono::steady_clock::now() - begin;
  return session;
}

}  // namespace engine

Session load(const std::filesystem::path& path, const Params& params) { return engine::load(path, params, {}); }

std::filesystem::path default_cache_folder() { return user_cache_folder(); }

const char* version() { return ASSAY_VERSION; }

}  // namespace assay
