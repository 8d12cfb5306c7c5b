#pragma once
#include "base/file.hpp"
#include "nvidia/runtime.hpp"
#include "profile.hpp"
#include "session.hpp"
#include "test/models.hpp"
