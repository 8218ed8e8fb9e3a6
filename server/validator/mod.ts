export { validatorCommand } from "./command.ts";
export { DEFAULT_FORWARD, type ForwardOptions } from "./forwarder.ts";
export { startValidator, type Validator, type ValidatorOptions } from "./start_validator.ts";
export { DEFAULT_STRESS, type StressOptions } from "./stress_test.ts";
