#pragma once

#include "model/zoo.hpp"
#include "model/zoo/graph.hpp"

namespace assay::model {

// The paper's architectures, layer for layer as torchvision has them. Each comes in the paper's size and in a tiny one.
Graph vgg(const ZooRequest& request, bool tiny);
Graph resnet(const ZooRequest& request, bool tiny);
Graph densenet(const ZooRequest& request, bool tiny);
Graph efficientnet(const ZooRequest& request, bool tiny);

}  // namespace assay::model
