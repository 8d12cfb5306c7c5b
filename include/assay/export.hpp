#pragma once
// Everything of libassay is hidden but what carries this mark.
#define ASSAY_API __attribute__((visibility("default")))
