// Tables that do not match, and plugins that break the contract: each is said clearly, with both versions and the file.
#include "backend/plugin_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/backend.hpp"
#include "backend/status.hpp"
#include "base/file.hpp"

namespace assay::backend {
namespace {

using testing::AllOf;
using testing::HasSubstr;

assay_backend_table whole_table() {
  assay_backend_table table{};
  table.struct_size = sizeof table;
  table.abi_version = ASSAY_ABI_VERSION;
  table.name = "toy";
  table.probe = [](const assay_host*, assay_probe_result*, assay_error*) -> assay_status { return ASSAY_OK; };
  table.options = [](assay_option_list*, assay_error*) -> assay_status { return ASSAY_OK; };
  table.open = [](const assay_host*, const assay_open_request*, assay_session**, assay_error*) -> assay_status {
    return ASSAY_OK;
  };
  table.describe = [](assay_session*, assay_session_info*, assay_error*) -> assay_status { return ASSAY_OK; };
  table.slot_open = [](assay_session*, const assay_fixed_shape*, size_t, assay_slot**, assay_error*) -> assay_status {
    return ASSAY_OK;
  };
  table.submit = [](assay_slot*, const assay_tensor*, size_t, const assay_tensor*, size_t, assay_done_fn, void*,
                    assay_error*) -> assay_status { return ASSAY_OK; };
  table.wait = [](assay_slot*, assay_tensor*, size_t, assay_timing*, assay_error*) -> assay_status { return ASSAY_OK; };
  table.report = [](assay_session*, const char*, const char**, assay_error*) -> assay_status { return ASSAY_OK; };
  table.buffer = [](assay_session*, assay_memory, uint64_t, void**, assay_error*) -> assay_status { return ASSAY_OK; };
  table.close = [](assay_session*, assay_slot*) {};
  return table;
}

/// Of the boundary that this is.
std::string version() { return std::to_string(ASSAY_ABI_MAJOR) + "." + std::to_string(ASSAY_ABI_MINOR); }

std::string refusal(const assay_backend_table* table) {
  try {
    check_table(table, "/plugins/libassay_backend_toy.so");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_EQ(e.context(), "/plugins/libassay_backend_toy.so");
    return e.message();
  }
  return {};
}

TEST(PluginTable, AWholeOneIsTaken) {
  assay_backend_table table = whole_table();
  EXPECT_EQ(refusal(&table), "");
  table.abi_version = (ASSAY_ABI_MAJOR << 16) | 7;
  table.struct_size += 16;
  EXPECT_EQ(refusal(&table), "") << "a newer minor version has grown at its end";
}

TEST(PluginTable, AnotherMajorVersionIsRefusedWithBoth) {
  assay_backend_table table = whole_table();
  table.abi_version = ((ASSAY_ABI_MAJOR + 1) << 16) | 3;
  EXPECT_THAT(refusal(&table), AllOf(HasSubstr("speaks version 2.3"), HasSubstr("this Assay speaks " + version())));
}

TEST(PluginTable, ATableThatIsTooSmallIsRefused) {
  assay_backend_table table = whole_table();
  table.struct_size = 24;
  EXPECT_THAT(refusal(&table), AllOf(HasSubstr("has 24 bytes"), HasSubstr("needs 96")));
}

TEST(PluginTable, OneThatEndsBeforeWhatWasAddedLaterIsTaken) {
  assay_backend_table table = whole_table();
  table.struct_size = offsetof(assay_backend_table, model_formats);
  EXPECT_EQ(refusal(&table), "");
}

TEST(PluginTable, NoTableOrAMissingFunctionIsRefused) {
  EXPECT_THAT(refusal(nullptr), HasSubstr("no table for version " + version()));
  assay_backend_table table = whole_table();
  table.wait = nullptr;
  EXPECT_THAT(refusal(&table), HasSubstr("lacks"));
  table = whole_table();
  table.name = nullptr;
  EXPECT_THAT(refusal(&table), HasSubstr("lacks"));
}

TEST(PluginFile, ALibraryThatIsNoPluginIsRefused) {
  try {
    (void)load_plugin(ASSAY_NOT_A_PLUGIN);
    FAIL() << "it was loaded";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(e.what(), HasSubstr("exports no assay_backend_query"));
  }
}

TEST(Status, KeepsTheCodeAndTheWords) {
  ErrorSlot slot;
  std::snprintf(slot.error.message, sizeof slot.error.message, "out of paper");
  try {
    throw_status(ASSAY_UNSUPPORTED, slot.error, "open", "printer");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
    EXPECT_STREQ(e.what(), "printer: out of paper");
  }
}

TEST(Status, WithoutWordsOrWithAnUnknownCodeIsSaidToo) {
  const ErrorSlot slot;
  try {
    throw_status(99, slot.error, "open", "");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInternal);
    EXPECT_STREQ(e.what(), "the plugin's open failed with status 99 and gave no reason");
  }
}

TEST(Status, AMessageWithoutAnEndIsCut) {
  ErrorSlot slot;
  std::fill(std::begin(slot.error.message), std::end(slot.error.message), 'x');
  try {
    throw_status(ASSAY_INTERNAL, slot.error, "open", "");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message().size(), sizeof slot.error.message);
  }
}

}  // namespace
}  // namespace assay::backend
