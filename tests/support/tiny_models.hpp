#pragma once
// ONNX files of a few nodes whose answers are known by heart.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace assay::tiny {

/// x float32 [batch, 4] → y float32 [batch, 3] = x·W + b, see `linear`.
void write_linear(const std::filesystem::path& path);
std::vector<float> linear(std::span<const float> x);

/// The same in another shape: with the batch fixed at 4; with the batch second, x [3, batch, 4] → y [3, batch, 3]; with
/// a second output s float32 [] beside it, the sum of y.
void write_fixed_linear(const std::filesystem::path& path);
void write_sequence(const std::filesystem::path& path);
void write_linear_and_sum(const std::filesystem::path& path);

/// a float32 [batch, 2], b uint8 [batch, 3], c int64 [batch, 2], d float16 [batch, 2] → each added to itself, b as
/// float32: "a2", "b1" (b itself), "c2", "d2".
void write_types(const std::filesystem::path& path);

/// x float32 [5] → y int64 [1, ?]: where x is not zero.
void write_nonzero(const std::filesystem::path& path);

/// x float32 [batch, 1, height, width] → y float32 [batch, 1, 1, 1]: the mean.
void write_mean(const std::filesystem::path& path);

/// x float32 [batch, 4] → y = max(x, 0), and x itself.
void write_relu_and_input(const std::filesystem::path& path);

/// x float32 [batch, 4] → y int64 [?, 2], the places of what is not zero: free under no name, and not the batch.
void write_unnamed_rows(const std::filesystem::path& path);

/// x float32 [batch, 4] → y, by an operator that there is not.
void write_unknown_operator(const std::filesystem::path& path);

/// Two nodes, each waiting for the other.
void write_cycle(const std::filesystem::path& path);

/// x float32 [batch, 4] → y: weights declared larger than any memory, with a few bytes in the file.
void write_huge(const std::filesystem::path& path);

/// x float32 [batch, 4] → y: weights in an external file at `location`, as the model has it.
void write_external(const std::filesystem::path& path, const std::string& location);

/// text string [batch] → text itself: nothing that an engine could be fed here.
void write_strings(const std::filesystem::path& path);

}  // namespace assay::tiny
