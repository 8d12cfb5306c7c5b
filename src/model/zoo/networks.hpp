#pragma once

#include "model/zoo.hpp"
#include "model/zoo/graph.hpp"

namespace assay::model {

// The paper's architectures, layer for layer as torchvision has them. Each comes in the paper's size and in a tiny one.
Graph vgg(const ZooRequest& request, bool tiny);
Graph resnet(const ZooRequest& request, bool tiny);
Graph densenet(const ZooRequest& request, bool tiny);
Graph efficientnet(const ZooRequest& request, bool tiny);

Graph tiny_mlp(const ZooRequest& request);
Graph tiny_multi(const ZooRequest& request);
Graph tiny_tokens(const ZooRequest& request);
Graph tiny_uint8(const ZooRequest& request);
Graph tiny_half(const ZooRequest& request);
Graph tiny_free_axes(const ZooRequest& request);
Graph tiny_fixed_batch(const ZooRequest& request);
Graph tiny_no_batch(const ZooRequest& request);
Graph tiny_dynamic_output(const ZooRequest& request);

}  // namespace assay::model
