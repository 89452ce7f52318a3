import { Mqtt } from 'azure-iot-device-mqtt';
import { onTestFinished } from 'vitest';

interface Provider {
  setTokenRenewalValues(validSeconds: number, marginSeconds: number): void;
}

/** From now on the token of the last connection can be renewed at will; gives what does that. */
export function renewable(): () => void {
  // The only way to the SDK's clock: the provider of tokens, as the transport comes by with it.
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
