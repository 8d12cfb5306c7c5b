#pragma once
// A thin layer over SQLite: lifetimes, and errors that name the file and say what to do.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace assay::store {

class Database;

/// A prepared statement. Parameters and columns count from 0.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, std::optional<double> value);
  Statement& bind_blob(int parameter, std::span<const std::byte> bytes);

  /// True while there is a row.
  bool step();
  /// For statements without rows: runs to the end, ready to be bound again.
  void execute();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<double> real(int column) const;  ///< empty for NULL
  [[nodiscard]] std::span<const std::byte> blob(int column) const;

 private:
  void check(int status) const;
  const Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  enum class Access { kRead, kWrite };
  /// kWrite creates the file and its folder. Throws Error(kIo).
  Database(std::filesystem::path file, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql) const;
  /// Write-ahead logging: readers do not wait for a writer. A property of the file that stays.
  void enable_wal() const;
  [[nodiscard]] std::int64_t pragma(const char* name) const;
  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] sqlite3* handle() const { return handle_; }
  /// Throws Error(kIo) for SQLite's status, in words; Unwritable where it would be the same for anything else.
  [[noreturn]] void fail(int status) const;

 private:
  void open(int flags);
  std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
};

/// Takes the file's write lock at once (waiting for other writers), so that it cannot fail half way for being busy.
/// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(const Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  const Database& database_;
  bool open_ = true;
};

}  // namespace assay::store
