// Numbers, money and times as text.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const NOTHING = "–";

export function number(value) {
  return value === null || value === undefined ? NOTHING : whole.format(value);
}

export function compact(value) {
  return value === null || value === undefined ? NOTHING : value < 100000 ? whole.format(value) : short.format(value);
}

export function usd(value) {
  if (value === null || value === undefined) return NOTHING;
  const digits = value === 0 || value >= 1 ? 2 : value >= 0.01 ? 4 : 6;
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: digits })}`;
}

export function amount(metric, value) {
  return metric === "USD" ? usd(value) : number(value);
}

export function milliseconds(value) {
  if (value === null || value === undefined) return NOTHING;
  return value < 1000 ? `${value < 10 ? value.toFixed(1) : whole.format(value)} ms` : `${(value / 1000).toFixed(value < 10000 ? 2 : 1)} s`;
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function clock(unix) {
  return new Date(unix * 1000).toLocaleTimeString("en-GB");
}

// A moment in the future: "in 3 min (14:05)", with the date if it is not today.
export function until(unix) {
  if (unix === null || unix === undefined) return NOTHING;
  const moment = new Date(unix * 1000), left = unix - Date.now() / 1000;
  const today = moment.toDateString() === new Date().toDateString();
  const time = moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = today ? "" : `${moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} `;
  return left <= 0 ? "now" : `in ${duration(left)} (${day}${time})`;
}

export function date(unix) {
  if (unix === null || unix === undefined) return NOTHING;
  return new Date(unix * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}
