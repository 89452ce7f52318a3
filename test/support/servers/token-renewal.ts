import { Mqtt } from 'azure-iot-device-mqtt';
import { onTestFinished } from 'vitest';

interface Provider {
  setTokenRenewalValues(validSeconds: number, marginSeconds: number): void;
}

/** Returns a function that makes the SDK renew the token of the latest connection at once. */
export function captureTokenRenewal(): () => void {
  // The SDK exposes its token provider only on the transport, when that connects.
  let renew = () => {};
  const { connect } = Mqtt.prototype;
  onTestFinished(() => {
    Mqtt.prototype.connect = connect;
  });
  Mqtt.prototype.connect = function (this: Mqtt & { _authenticationProvider?: Provider }, done) {
    renew = () => this._authenticationProvider?.setTokenRenewalValues(3600, 900);
    connect.call(this, done);
  };
  return () => renew();
}
