#pragma once
#include "base/file.hpp"
