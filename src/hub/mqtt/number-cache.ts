import mqttPacket from 'mqtt-packet';

// With its first packet mqtt-packet would create 65,536 buffers, one for each number of two bytes: 7 MB of memory and
// 50 ms to save an allocation per packet.
mqttPacket.writeToStream.cacheNumbers = false;
