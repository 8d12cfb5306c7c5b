#include "store/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <system_error>

#include "assay/error.hpp"
#include "store/store.hpp"

namespace assay::store {
namespace {

constexpr int kBusyMilliseconds = 60'000;
constexpr int kRetryMilliseconds = 5;

std::string advice(int status) {
  switch (status & 0xff) {
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "the file or its folder cannot be written; give another with --db FILE or ASSAY_DB";
    case SQLITE_CANTOPEN:
      return "the file cannot be opened or created; check the folder and its permissions, or give another with --db "
             "FILE or ASSAY_DB";
    case SQLITE_FULL:
      return "the disk is full; make room, or give a file elsewhere with --db FILE or ASSAY_DB";
    case SQLITE_IOERR:
      return "reading or writing failed, often because the disk is full; make room, or give a file elsewhere with "
             "--db FILE or ASSAY_DB";
    case SQLITE_NOTADB:
      return "this is not an SQLite file; give a results file with --db FILE or ASSAY_DB (a new one is created)";
    case SQLITE_CORRUPT:
      return "the file is damaged; restore a copy, or give a new one with --db FILE or ASSAY_DB";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process has kept the file locked for a minute; end it, or give another file with --db FILE";
    default:
      return "give another results file with --db FILE or ASSAY_DB";
  }
}

bool takes_nothing_more(int status) {
  const int kind = status & 0xff;
  return kind == SQLITE_FULL || kind == SQLITE_IOERR || kind == SQLITE_READONLY || kind == SQLITE_CANTOPEN;
}

}  // namespace

Statement::Statement(const Database& database, std::string_view sql) : database_(database) {
  check(sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &statement_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::check(int status) const {
  if (status != SQLITE_OK) database_.fail(status);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(statement_, parameter + 1, value));
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  check(sqlite3_bind_text(statement_, parameter + 1, text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                          SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind(int parameter, std::optional<double> value) {
  check(value ? sqlite3_bind_double(statement_, parameter + 1, *value) : sqlite3_bind_null(statement_, parameter + 1));
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::span<const std::byte> bytes) {
  const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  check(sqlite3_bind_blob64(statement_, parameter + 1, data, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

bool Statement::step() {
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  if (status != SQLITE_DONE) database_.fail(status);
  return false;
}

void Statement::execute() {
  while (step()) {
  }
  reset();
}

void Statement::reset() { sqlite3_reset(statement_); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<double> Statement::real(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_double(statement_, column);
}

std::span<const std::byte> Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Database::Database(std::filesystem::path file, Access access) : file_(std::move(file)) {
  std::error_code error;
  if (std::filesystem::is_directory(file_, error)) {  // SQLite would speak of its disk
    throw Error(ErrorCode::kIo, "this is a folder, not a results file; name a file in it with --db FILE or ASSAY_DB",
                file_.string());
  }
  if (access == Access::kRead) {
    if (!std::filesystem::exists(file_, error)) {
      throw Error(
          ErrorCode::kIo,
          "there is no results file here yet; `assay bench` writes one, and --db FILE or ASSAY_DB names another",
          file_.string());
    }
    open(SQLITE_OPEN_READONLY);
    return;
  }
  error.clear();
  if (file_.has_parent_path()) std::filesystem::create_directories(file_.parent_path(), error);
  if (error) {
    throw Error(ErrorCode::kIo,
                fmt::format("cannot create the folder of the results file: {}; give another with --db FILE or ASSAY_DB",
                            error.message()),
                file_.string());
  }
  open(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

Database::~Database() { sqlite3_close(handle_); }

void Database::open(int flags) {
  int status = sqlite3_open_v2(file_.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (status == SQLITE_OK) {
    sqlite3_busy_timeout(handle_, kBusyMilliseconds);
    // Opening reads nothing; this does, and so finds out what the file is.
    status = sqlite3_exec(handle_, "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr);
  }
  if ((status & 0xff) == SQLITE_CANTOPEN && flags == SQLITE_OPEN_READONLY) {
    // A WAL file in a folder that cannot be written has nowhere to put its index; nobody can change it either.
    sqlite3_close(handle_);
    handle_ = nullptr;
    const std::string uri = "file:" + file_.string() + "?immutable=1";
    status = sqlite3_open_v2(uri.c_str(), &handle_, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
    if (status == SQLITE_OK) {
      status = sqlite3_exec(handle_, "SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr);
    }
  }
  if (status == SQLITE_OK) return;
  const std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(status);
  sqlite3_close(handle_);
  handle_ = nullptr;
  throw Error(ErrorCode::kIo, fmt::format("cannot use this results file: {}: {}", reason, advice(status)),
              file_.string());
}

void Database::execute(const char* sql) const {
  const int status = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) fail(status);
}

void Database::enable_wal() const {
  // While another process changes the journal of a new file, this is refused at once, without the wait of other
  // statements.
  for (int waited = 0;; waited += kRetryMilliseconds) {
    const int status = sqlite3_exec(handle_, "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
    if (status == SQLITE_OK) return;
    if ((status & 0xff) != SQLITE_BUSY || waited >= kBusyMilliseconds) fail(status);
    sqlite3_sleep(kRetryMilliseconds);
  }
}

std::int64_t Database::pragma(const char* name) const {
  Statement statement(*this, fmt::format("PRAGMA {}", name));
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }

void Database::fail(int status) const {
  const std::string why = fmt::format("the results file refused: {}: {}", sqlite3_errmsg(handle_), advice(status));
  if (takes_nothing_more(status)) throw Unwritable(ErrorCode::kIo, why, file_.string());
  throw Error(ErrorCode::kIo, why, file_.string());
}

Transaction::Transaction(const Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  // An error may have rolled back already; SQLite then answers so, and nothing is left to do.
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace assay::store
